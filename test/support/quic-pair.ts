import { createHash } from 'node:crypto'
import type { CheckStats } from '../../tunnel/nat/ice/check-list.ts'
import type { Nominated } from '../../tunnel/nat/ice/pair.ts'
import type { Path } from '../../tunnel/nat/ice/path.ts'
import type { Conn } from '../../tunnel/net/conn.ts'
import type { Endpoint } from '../../tunnel/net/endpoint.ts'
import type { PacketSocket } from '../../tunnel/net/udp/socket.ts'
import type { QuicConnection } from '../../tunnel/quic/connection.ts'
import type { Engine } from '../../tunnel/quic/engine.ts'
import { quicheEngine } from '../../tunnel/quic/engines/quiche/engine.ts'
import { createIdentity } from '../../tunnel/quic/identity.ts'
import type { QuicStream } from '../../tunnel/quic/stream.ts'
import { controlStream } from '../../tunnel/session/control-stream.ts'
import { connectQuic } from '../../tunnel/session/establish.ts'
import { openUdpPath, type UdpPath } from './udp-path.ts'
import { until, within } from './until.ts'

// Two ends of a tunnel on loopback, as a punch leaves them, and what one does with their streams.

export interface End {
  socket: PacketSocket
  connection: QuicConnection
}

export interface QuicPair {
  client: End
  exit: End
  /** What lies between them, where it was asked for. */
  path: UdpPath | undefined
  close(): void
}

export interface PairOptions {
  /** The pins that the ends are told, in place of the true ones. */
  clientPin?: string
  exitPin?: string
  /** Milliseconds by which the client hears everything later. */
  delayMs?: number
  /** What the client has heard from the exit's address before. */
  early?: Uint8Array[]
  /** The engines of the client and of the exit; quiche's by default. */
  engines?: readonly [client: Engine, exit: Engine]
  /** The ends may be told to send elsewhere. */
  mayMove?: boolean
  /** Told of what is not QUIC at the client's socket. */
  onPacket?: (packet: Uint8Array, from: Endpoint) => void
  /** Packets go by a path that the test can get at. */
  withPath?: boolean
  /** Which of them arrive, from the first on; only with a path. */
  passes?: UdpPath['passes']
}

const host = '127.0.0.1'
const stats = {} as CheckStats

/** How each end comes up, good or bad; the sockets are the caller's to close. */
export async function linkBoth(options: PairOptions = {}) {
  const { clientPin, exitPin, delayMs, early = [], engines = [quicheEngine, quicheEngine] } = options
  // Those of quiche's engine are packet sockets, which some tests reach into.
  const open = async (engine: Engine) => (await engine.openSocket({ address: host })) as PacketSocket
  const sockets = [await open(engines[0]), await open(engines[1])] as const
  if (delayMs) delay(sockets[0], delayMs)
  const path = options.withPath
    ? await openUdpPath({ client: sockets[0].local, exit: sockets[1].local })
    : undefined
  if (path && options.passes) path.passes = options.passes
  const identities = [await createIdentity(), await createIdentity()] as const
  const end = (self: 0 | 1, role: 'server' | 'client', pin = identities[1 - self]!.fingerprint) => {
    const nominated = path?.peerOf[self === 0 ? 'client' : 'exit'] ?? sockets[1 - self]!.local
    const punched = {
      socket: sockets[self],
      nominated: { ...nominated, via: 0, kind: 'host' as const },
      path: pathTo({ ...nominated, via: 0, kind: 'host' }, options.mayMove === true),
      close() {},
      stats,
      rttMs: undefined,
      answerCheck: (self === 0 && options.onPacket) || (() => {}),
      early: self === 0 ? early : [],
    }
    return connectQuic({ engine: engines[self], punched, identity: identities[self], pin, role })
  }
  const [client, exit] = await Promise.allSettled([end(0, 'server', clientPin), end(1, 'client', exitPin)])
  return { sockets, path, client, exit }
}

const pathTo = (nominated: Nominated, mayMove: boolean): Path => ({
  ...{ nominated, peer: nominated, mayMove },
  onMoved() {},
  take() {},
  deliver: () => false,
  close() {},
})

/** Whoever listens on this socket hears everything so much later. */
function delay(socket: PacketSocket, ms: number): void {
  let listen = socket.onDatagram
  Object.defineProperty(socket, 'onDatagram', {
    get: () => listen,
    set(onDatagram: typeof listen) {
      listen = (datagram, ...from) => {
        const kept = new Uint8Array(datagram)
        setTimeout(() => onDatagram(kept, ...from), ms)
      }
    },
  })
}

/** Two ends that trust each other. */
export async function quicPair(options: PairOptions = {}): Promise<QuicPair> {
  const { sockets, path, client, exit } = await linkBoth(options)
  if (client.status === 'rejected' || exit.status === 'rejected') {
    for (const socket of sockets) socket.close()
    path?.close()
    throw client.status === 'rejected' ? client.reason : (exit as PromiseRejectedResult).reason
  }
  return {
    client: { socket: sockets[0], connection: client.value },
    exit: { socket: sockets[1], connection: exit.value },
    path,
    close() {
      client.value.close()
      exit.value.close()
      for (const socket of sockets) socket.close()
      path?.close()
    },
  }
}

/** The next stream that the other end opens. */
export const nextStream = ({ connection }: End): Promise<QuicStream> =>
  new Promise(resolve => {
    connection.onStream = resolve
  })

/** Opens the control stream, as a session does: by it the ends tell each other of breaks, and of ends that were lost. */
export async function openControl({ client, exit }: QuicPair): Promise<void> {
  const arriving = nextStream(client)
  controlStream(exit.connection, exit.connection.open()).send({ type: 'ping', id: 1 })
  controlStream(client.connection, await arriving)
}

/** A stream of the client's, on which it has said a byte, at both ends; nobody owns either. */
export async function openStream({ client, exit }: QuicPair): Promise<{ near: QuicStream; far: QuicStream }> {
  const arriving = nextStream(exit)
  const near = client.connection.open()
  near.write(Buffer.from('!'))
  return { near, far: await arriving }
}

/** Resolves when both ends have forgotten every stream but the control stream. */
export const forgotten = ({ client, exit }: QuicPair): Promise<void> =>
  until(() => client.connection.streams === 1 && exit.connection.streams === 1, 'the streams to be forgotten')

/** What an owner has heard of its connection. */
export interface Heard {
  text: string
  ended: boolean
  closed: boolean
  broken: boolean
}

/** Owns a connection from here on, and collects what comes. */
export function listenTo(conn: Conn): Heard {
  const heard = { text: '', ended: false, closed: false, broken: false }
  conn.attach({
    data(chunk) {
      heard.text += Buffer.from(chunk).toString()
    },
    end() {
      heard.ended = true
    },
    drain() {},
    close(broken) {
      Object.assign(heard, { closed: true, broken })
    },
  })
  return heard
}

/** Writes all of it and ends; resolves when the connection has taken the last byte. What comes meanwhile waits. */
export function writeAll(conn: Conn, bytes: Uint8Array): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const detach = conn.attach({ data() {}, end() {}, drain: resolve, close: () => reject(aborted()) })
  conn.pause()
  if (conn.write(bytes)) resolve()
  conn.end()
  return within(promise, 'all to be written').finally(detach)
}

interface Read {
  length: number
  /** SHA-256 of all of it. */
  hash: string
}

/** Reads to the end. */
export function readAll(conn: Conn): Promise<Read> {
  const { promise, resolve, reject } = Promise.withResolvers<Read>()
  const { data, read } = reader()
  const detach = conn.attach({ data, end: () => resolve(read()), drain() {}, close: () => reject(aborted()) })
  return within(promise, 'the end of a stream').finally(detach)
}

/** Both at once. */
export function exchange(conn: Conn, bytes: Uint8Array): Promise<Read> {
  const { promise, resolve, reject } = Promise.withResolvers<Read>()
  const { data, read } = reader()
  conn.attach({ data, end: () => resolve(read()), drain() {}, close: () => reject(aborted()) })
  conn.write(bytes)
  conn.end()
  return within(promise, 'the end of a stream')
}

// --- internal ---

const aborted = () => new Error('the stream was aborted')

function reader() {
  const hash = createHash('sha256')
  let length = 0
  return {
    data(chunk: Uint8Array) {
      hash.update(chunk)
      length += chunk.length
    },
    read: (): Read => ({ length, hash: hash.digest('hex') }),
  }
}
