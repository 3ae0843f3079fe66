import { lookup } from 'node:dns/promises'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls, getCACertificates } from 'node:tls'
import { openUdpSocket } from '../../net/udp/open.ts'
import { messageCutter } from './channel-data.ts'
import { TurnError } from './error.ts'
import { formatTurnServer, type TurnServerName } from './uri.ts'

/** The way to a TURN server: whole messages each way, over UDP, TCP or TLS. */
export interface Transport {
  /** Messages arrive in order or not at all, and need no repeating; ChannelData is padded. */
  readonly isStream: boolean
  /** A STUN message or ChannelData; the bytes are valid only until it returns. */
  onMessage: (message: Uint8Array) => void
  /** It broke; told once, and not for `close`. */
  onBroken: (error: TurnError) => void
  /** False: it was lost, since the stream is full; a request, of which there are few, waits there all the same. */
  send(message: Uint8Array, isRequest?: boolean): boolean
  close(): void
}

export interface TransportOptions {
  /** Certificates (PEM) to trust besides the system's, for TLS. */
  ca?: string | undefined
  /** For the name and the connection together. Milliseconds. */
  limitMs: number
  signal?: AbortSignal | undefined
}

/** What may wait for a stream that is slow: some 200 packets. UDP would have lost the rest as well. Bytes. */
const maxWaiting = 256 * 1024
/** What is still to be sent has so long when a stream closes. Milliseconds. */
const closeLimitMs = 1_000

/** Opens a way to a server. Throws a TurnError, or the signal's reason. */
export async function openTransport(server: TurnServerName, options: TransportOptions): Promise<Transport> {
  const { limitMs, signal } = options
  const limit = AbortSignal.timeout(limitMs)
  const until = signal ? AbortSignal.any([limit, signal]) : limit
  const name = formatTurnServer(server)
  try {
    const address = await withSignal(lookup(server.host, { family: 4 }), until).catch(error => {
      if (until.aborted) throw error
      throw new TurnError('E_TURN_NAME_NOT_FOUND', name, 'has no address: its name was not found', error)
    })
    return server.transport === 'udp'
      ? await overUdp(address.address, server.port)
      : await overStream(address.address, server, options.ca, until)
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    if (limit.aborted) throw silent(name, limitMs)
    throw error
  }
}

export const silent = (server: string, limitMs: number): TurnError =>
  new TurnError('E_TURN_UNREACHABLE', server, `did not answer within ${limitMs / 1000} s`)

// --- internal ---

async function overUdp(address: string, port: number): Promise<Transport> {
  const socket = await openUdpSocket()
  const transport: Transport = {
    isStream: false,
    onMessage() {},
    onBroken() {},
    send(message) {
      socket.send(message, { address, port })
      return true
    },
    close: () => socket.close(),
  }
  socket.onDatagram = (datagram, from, fromPort) => {
    if (from === address && fromPort === port) transport.onMessage(datagram)
  }
  return transport
}

async function overStream(
  address: string,
  server: TurnServerName,
  ca: string | undefined,
  until: AbortSignal,
): Promise<Transport> {
  const name = formatTurnServer(server)
  const isSecure = server.transport === 'tls'
  const socket = isSecure
    ? connectTls({
        host: address,
        port: server.port,
        // A name for the certificate; an address is none.
        ...(isIP(server.host) === 0 && { servername: server.host }),
        // Naming one more takes none away.
        ...(ca !== undefined && { ca: [...getCACertificates('default'), ca] }),
      })
    : connectTcp({ host: address, port: server.port })
  socket.setNoDelay(true)
  try {
    await withSignal(opened(socket, isSecure ? 'secureConnect' : 'connect'), until)
  } catch (error) {
    socket.on('error', () => {}).destroy()
    throw until.aborted ? error : refused(name, error)
  }

  let over = false
  const broken = (reason: string, cause?: unknown) => {
    if (over) return
    over = true
    socket.destroy()
    transport.onBroken(new TurnError('E_TURN_LOST', name, reason, cause))
  }
  const transport: Transport = {
    isStream: true,
    onMessage() {},
    onBroken() {},
    send(message, isRequest = false) {
      if (over || (!isRequest && socket.writableLength + message.length > maxWaiting)) return false
      socket.write(message)
      return true
    },
    close() {
      if (over) return
      over = true
      socket.end()
      // A server that does not close its side is not waited for, whatever it still sends.
      const last = setTimeout(() => socket.destroy(), closeLimitMs)
      socket.once('close', () => clearTimeout(last))
    },
  }
  const cut = messageCutter(message => {
    if (!over) transport.onMessage(message)
  })
  socket.on('data', (chunk: Buffer) => {
    if (!cut(chunk)) broken('sent what is no TURN')
  })
  socket.on('error', error => broken('broke off', error))
  socket.on('close', () => broken('closed the connection'))
  return transport
}

function opened(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(event, () => {
      socket.off('error', reject)
      resolve()
    })
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('closed')))
  })
}

function withSignal<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>()
  const abort = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()
  return Promise.race([work, aborted.promise]).finally(() => signal.removeEventListener('abort', abort))
}

/** A connection that was not made: by the system's code, or by what TLS says of the certificate. */
function refused(name: string, error: unknown): TurnError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (isOfCertificate(code))
    return new TurnError(
      'E_TURN_CERTIFICATE',
      name,
      `shows a certificate that is not trusted (${code})`,
      error,
    )
  const how = code === '' ? '' : ` (${code})`
  return new TurnError('E_TURN_UNREACHABLE', name, `refused the connection or broke it off${how}`, error)
}

/** OpenSSL's names for what is wrong with a certificate, and Node's for one that is another host's. */
const isOfCertificate = (code: string): boolean =>
  /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|HOSTNAME_MISMATCH/.test(code)
