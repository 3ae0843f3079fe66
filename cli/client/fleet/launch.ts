import { newIceCredentials } from '../../../tunnel/nat/ice/credentials.ts'
import { punch } from '../../../tunnel/nat/ice/punch.ts'
import type { StunServerName } from '../../../tunnel/nat/stun/server-name.ts'
import { CodedError, errorData } from '../../../tunnel/net/coded-error.ts'
import { formatEndpoint } from '../../../tunnel/net/endpoint.ts'
import { openUdpSocket } from '../../../tunnel/net/udp/open.ts'
import type { Tuning } from '../../../tunnel/quic/config.ts'
import type { QuicConnection } from '../../../tunnel/quic/connection.ts'
import { createIdentity } from '../../../tunnel/quic/identity.ts'
import { type ControlStream, controlStream } from '../../../tunnel/session/control-stream.ts'
import { controlVersion, type Hello } from '../../../tunnel/session/frames/control.ts'
import { link } from '../../../tunnel/session/link.ts'
import type { SignalBucket } from '../../../tunnel/signalling/bucket.ts'
import { type Offer, sideOf } from '../../../tunnel/signalling/documents.ts'
import type { Step } from '../stats/events.ts'
import { locate } from './locate.ts'

export interface LaunchOptions {
  id: string
  bucket: SignalBucket
  stunServers: StunServerName[]
  tuning?: Tuning
  /** How long the function may take to answer, in milliseconds; 30,000 by default (a cold start takes 1 to 3 s). */
  answerMs?: number
  /** The public address that an earlier session saw: a guess for when no STUN server answers. */
  lastAddress?: string
  /** Where the exit is to look names up; its own resolver otherwise. */
  dns?: string
  signal?: AbortSignal
  /** A step is done; of the wait for the answer `functionStartMs` went by before the function's code ran. */
  onStep?: (step: Step, ms: number, detail: string, functionStartMs?: number) => void
}

/** A session that is up. */
export interface Session {
  readonly id: string
  readonly connection: QuicConnection
  readonly hello: Hello
  /** When the function's time is up, on performance.now()'s clock. */
  readonly deadline: number
  readonly control: ControlStream
  /** This end's public address, as STUN saw it. */
  readonly clientAddress: string
  /** Says bye, so that the function stops being billed, and closes. */
  bye(message: string): void
}

/** A session could not be set up; `step` is where it failed, and the code is that of the cause. */
export class LaunchError extends CodedError {
  override name = 'LaunchError'
  constructor(
    readonly step: Step,
    cause: unknown,
  ) {
    const { code, message, hint } = errorData(cause)
    super(code, message, { hint, cause })
  }
}

/** The function says hello right after the handshake; without it the exit is not usable. Milliseconds. */
const helloLimitMs = 5_000

/**
 * Sets one session up: STUN, offer, answer, punch, QUIC, hello, on one socket. Throws a LaunchError, or
 * the signal's reason; nothing is left open then, and the
 * offer is deleted. Of a session that came up, offer and answer are the caller's to delete when it is over.
 */
export async function launch(options: LaunchOptions): Promise<Session> {
  const {
    id,
    bucket,
    stunServers,
    tuning,
    lastAddress,
    answerMs = 30_000,
    signal,
    onStep = () => {},
  } = options
  let socket = await openUdpSocket()
  let step: Step = 'stun'
  let offered = false
  let since = performance.now()
  const done = (next: Step, detail: string, functionStartMs?: number) => {
    const now = performance.now()
    onStep(step, now - since, detail, functionStartMs)
    since = now
    step = next
  }
  try {
    const [identity, { mapped, mapping, detail }] = await Promise.all([
      createIdentity(),
      locate(socket, { stunServers, lastAddress, signal }),
    ])
    done('offer', detail)

    const local = newIceCredentials()
    const offer: Offer = {
      ...sideOf(id, { mapped, mapping, credentials: local, identity }),
      client_ip: mapped.address,
      client_port: mapped.port,
      ...(options.dns && { dns: options.dns }),
    }
    offered = true
    await bucket.putOffer(offer)
    done('answer', bucket.name)
    const offeredAt = Date.now()

    const answer = await bucket.waitForAnswer(id, answerMs, signal)
    // Two clocks: what they say is held to the time that there was.
    const functionStartMs = Math.min(Math.max(answer.started_at - offeredAt, 0), performance.now() - since)
    done(
      'punch',
      `${answer.function_ip}:${answer.function_port}${answer.cold ? ', cold start' : ''}`,
      functionStartMs,
    )

    const remote = { ufrag: answer.ice_ufrag, password: answer.ice_password }
    const punched = await punch(socket, {
      local,
      remote,
      candidates: answer.candidates,
      controlling: true,
      mapping: { local: mapping, remote: answer.mapping },
      signal,
    })
    socket = punched.socket
    done('quic', `${formatEndpoint(punched.nominated)}, ${punched.stats.checksSent} checks`)

    const connection = await link({
      punched,
      identity,
      pin: answer.certificate_sha256,
      role: 'server',
      tuning,
    })
    void connection.closed.then(() => socket.close())
    done('hello', 'pinned')
    const { hello, control } = await greet(connection)
    done('hello', hello.address)
    return {
      id,
      connection,
      hello,
      deadline: performance.now() + hello.remaining_ms,
      control,
      clientAddress: mapped.address,
      bye(message) {
        control.send({ type: 'bye' })
        connection.close(message)
      },
    }
  } catch (error) {
    socket.close()
    if (offered) await bucket.remove(id).catch(() => {})
    if (signal?.aborted) throw signal.reason
    throw new LaunchError(step, error)
  }
}

// --- internal ---

/** Waits for the control stream and the function's hello on it. */
function greet(connection: QuicConnection): Promise<{ hello: Hello; control: ControlStream }> {
  return new Promise((resolve, reject) => {
    const fail = (message: string) => {
      clearTimeout(timer)
      connection.close(message)
      reject(new Error(message))
    }
    const timer = setTimeout(
      () => fail(`the function said no hello within ${helloLimitMs / 1000} s`),
      helloLimitMs,
    )
    void connection.closed.then(({ message }) => fail(message))
    connection.onStream = stream => {
      // One control stream; whatever else the function opens is not ours to serve.
      connection.onStream = extra => extra.abort()
      const control = controlStream(connection, stream)
      control.onMessage = message => {
        if (message.type !== 'hello') return
        if (message.version !== controlVersion)
          return fail(
            `the function speaks control version ${message.version}, this client ${controlVersion}: deploy again or update`,
          )
        clearTimeout(timer)
        control.onMessage = () => {}
        resolve({ hello: message, control })
      }
    }
  })
}
