import { CodedError } from '../net/coded-error.ts'
import { closeCodes } from '../quic/close-codes.ts'
import type { QuicConnection } from '../quic/connection.ts'
import { type ControlStream, controlStream } from './control-stream.ts'
import { controlVersion, type Hello } from './frames/control.ts'

export type SessionErrorCode = 'E_SESSION_NO_HELLO' | 'E_SESSION_VERSION'

/** The connection stood, and then the other end did not say who it is, or is of another version. */
export class SessionError extends CodedError<SessionErrorCode> {
  override name = 'SessionError'
}

/** The exit's first word, right after the handshake. */
export function sayHello(
  connection: QuicConnection,
  about: Omit<Hello, 'type' | 'version' | 'engine'>,
): ControlStream {
  const { name, version } = connection.engine
  const control = controlStream(connection, connection.open())
  control.send({ type: 'hello', version: controlVersion, engine: { name, version }, ...about })
  return control
}

/** Without a hello in this time the session is given up. Milliseconds. */
const helloLimitMs = 5_000

/**
 * Waits for the control stream, which the exit opens, and its hello; answers with this end's engine. Throws a
 * SessionError, and the connection is closed then.
 */
export function awaitHello(connection: QuicConnection): Promise<{ hello: Hello; control: ControlStream }> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      clearTimeout(timer)
      connection.close(closeCodes.noHello, error.message)
      reject(error)
    }
    const timer = setTimeout(() => {
      const message = `the function said no hello within ${helloLimitMs / 1000} s`
      fail(new SessionError('E_SESSION_NO_HELLO', message))
    }, helloLimitMs)
    void connection.closed.then(({ message }) => fail(new SessionError('E_SESSION_NO_HELLO', message)))
    connection.onStream = stream => {
      // One control stream; whatever else the function opens is not ours to serve.
      connection.onStream = extra => extra.abort()
      const control = controlStream(connection, stream)
      control.onMessage = message => {
        if (message.type !== 'hello') return
        if (message.version !== controlVersion) return fail(otherVersion(message.version))
        clearTimeout(timer)
        control.onMessage = () => {}
        const { name, version } = connection.engine
        // A release that names no engine does not know this message.
        if (message.engine) control.send({ type: 'welcome', engine: { name, version } })
        resolve({ hello: message, control })
      }
    }
  })
}

// --- internal ---

const otherVersion = (version: number) =>
  new SessionError(
    'E_SESSION_VERSION',
    `the function speaks control version ${version}, this client ${controlVersion}`,
    { hint: 'Deploy the function again, or update the client.' },
  )
