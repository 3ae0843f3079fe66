import type { Candidate } from '../nat/ice/candidate.ts'
import { newIceCredentials } from '../nat/ice/credentials.ts'
import type { Nominated } from '../nat/ice/pair.ts'
import { type Punched, punch } from '../nat/ice/punch.ts'
import { relayVia } from '../nat/ice/route.ts'
import type { Behaviour } from '../nat/stun/mapping.ts'
import type { Allocation } from '../nat/turn/allocation.ts'
import { errorData } from '../net/coded-error.ts'
import type { Endpoint } from '../net/endpoint.ts'
import type { UdpSocket } from '../net/udp/socket.ts'
import { closeCodes } from '../quic/close-codes.ts'
import { QuicConnection } from '../quic/connection.ts'
import type { Engine } from '../quic/engine.ts'
import { createIdentity, type Identity } from '../quic/identity.ts'
import type { Role, Tuning } from '../quic/tuning.ts'
import { readCandidates, type Side, sideOf } from '../signalling/documents.ts'

/** Where the world sees a socket. */
export interface Place {
  mapped: Endpoint
  mapping: Behaviour
  /** Where the other end may send, best first. */
  candidates: readonly Candidate[]
  /** An address that a TURN server lends this end. */
  relay?: Allocation | undefined
}

export interface EstablishOptions<Here extends Place, There extends Side> {
  id: string
  /** The client of QUIC is the function, which answers the offer; its server made the offer. */
  role: Role
  engine: Engine
  tuning?: Tuning | undefined
  signal?: AbortSignal | undefined
  /** The other end may have a private address, whatever this end's own is. */
  allowPrivate?: boolean | undefined
  /** Packets go by a relay alone. */
  relayOnly?: boolean | undefined
  /** Finds out where the socket is seen; it may listen on it meanwhile. */
  locate: (socket: UdpSocket) => Promise<Here>
  /** Publishes this end's document and gives the other's; undefined calls the session off. */
  exchange: (side: Side, here: Here) => Promise<There | undefined>
  onLocated?: (here: Here) => void
  onPunched?: (punched: Punched) => void
  /** The path has moved, from a relay to a direct pair. */
  onMoved?: (nominated: Nominated) => void
}

/** A session's connection is up, and the other end is who wrote the other document. */
export interface Established<Here extends Place, There extends Side> {
  connection: QuicConnection
  here: Here
  there: There
}

/**
 * Sets a session up, the same way at both ends: one socket, its public address, the two documents, connectivity
 * checks, QUIC with pinned certificates. Undefined when `exchange` called it off. Throws what the failing step
 * throws, or the signal's reason. The socket closes with the connection; nothing is left open where there is none.
 */
export async function establish<Here extends Place, There extends Side>(
  options: EstablishOptions<Here, There>,
): Promise<Established<Here, There> | undefined> {
  const { id, role, engine, signal, locate, exchange } = options
  let socket = await engine.openSocket()
  let close: (() => void) | undefined
  try {
    const [identity, here] = await Promise.all([createIdentity(), locate(socket)])
    close = () => here.relay?.close()
    options.onLocated?.(here)
    const local = newIceCredentials()
    const there = await exchange(sideOf(id, { ...here, credentials: local, identity }), here)
    if (!there) {
      close()
      socket.close()
      return undefined
    }
    const punched = await punch(socket, {
      local,
      remote: { ufrag: there.ice_ufrag, password: there.ice_password },
      candidates: readCandidates(there.candidates),
      controlling: role === 'server',
      admission: { mapped: here.mapped, allowPrivate: options.allowPrivate },
      mapping: { local: here.mapping, remote: there.mapping },
      openSocket: () => engine.openSocket(),
      relay: here.relay,
      relayOnly: options.relayOnly === true,
      ...(signal && { signal }),
    })
    socket = punched.socket
    close = punched.close
    options.onPunched?.(punched)
    const loss = lossOf(punched, here.relay)
    const until = signal ? AbortSignal.any([signal, loss]) : loss
    const pin = there.certificate_sha256
    const connection = await connectQuic({ ...options, punched, identity, pin, signal: until })
    loss.addEventListener('abort', () => connection.close(closeCodes.done, errorData(loss.reason).message))
    void connection.closed.then(() => {
      punched.close()
      socket.close()
    })
    followPath(connection, punched, options.onMoved)
    return { connection, here, there }
  } catch (error) {
    close?.()
    socket.close()
    throw error
  }
}

export interface ConnectQuicOptions {
  role: Role
  engine: Engine
  tuning?: Tuning | undefined
  punched: Punched
  identity: Identity
  pin: string
  /** Ends the handshake. */
  signal?: AbortSignal | undefined
}

/**
 * QUIC on a punched socket: late checks still go to the check list. Throws a QuicError, or the signal's reason; the
 * socket stays the caller's to close.
 */
export function connectQuic({ punched, ...options }: ConnectQuicOptions): Promise<QuicConnection> {
  const { socket, path, rttMs, answerCheck, early } = punched
  const { role, engine, tuning, identity, pin, signal } = options
  return QuicConnection.connect({
    role,
    engine,
    tuning,
    identity,
    pin,
    signal,
    socket,
    peer: path.peer,
    rttMs,
    mayMove: path.mayMove,
    early,
    onPacket: answerCheck,
  })
}

// --- internal ---

/** What has moved by now is caught up with. */
function followPath(
  connection: QuicConnection,
  { path, nominated }: Punched,
  onMoved: (nominated: Nominated) => void = () => {},
): void {
  path.onMoved = (better, peer) => {
    connection.moveTo(peer)
    onMoved(better)
  }
  if (path.nominated !== nominated) path.onMoved(path.nominated, path.peer)
}

/** Aborts, with its error, when the relay is gone by which packets go: the session would only find out by silence. */
function lossOf({ path }: Punched, relay: Allocation | undefined): AbortSignal {
  const loss = new AbortController()
  const lost = () => {
    if (path.nominated.via === relayVia) loss.abort(relay?.lost.reason)
  }
  if (relay?.lost.aborted) lost()
  else relay?.lost.addEventListener('abort', lost, { once: true })
  return loss.signal
}
