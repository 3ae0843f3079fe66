import { classify } from '../../net/demux.ts'
import { type Endpoint, sameEndpoint } from '../../net/endpoint.ts'
import { openUdpSocket } from '../../net/udp/open.ts'
import type { UdpSocket } from '../../net/udp/socket.ts'
import { type Behaviour, isHard } from '../stun/mapping.ts'
import type { Allocation } from '../turn/allocation.ts'
import { birthdayPart } from './birthday.ts'
import { isRelayed } from './candidate.ts'
import { type Admission, admitCandidates, admits } from './candidates.ts'
import { CheckList, type CheckListOptions, type CheckStats, type Outgoing, searchMs } from './check-list.ts'
import { PunchError } from './error.ts'
import type { Nominated } from './pair.ts'
import { directPath, type Path, relayedPath } from './path.ts'
import { relayVia } from './route.ts'
import { createSockets } from './sockets.ts'

export interface PunchOptions extends Omit<CheckListOptions, 'birthday' | 'admits' | 'hasRelay'> {
  /** Which of the peer's addresses may be sent to. */
  admission: Admission
  /** How each side's NAT maps, as offer and answer say. */
  mapping: { local: Behaviour; remote: Behaviour }
  /** Limit in milliseconds, 10,000 by default; 3,000 where both NATs map by destination. */
  limitMs?: number
  signal?: AbortSignal
  /** Opens more sockets like the one given, which is what the session goes on with; JavaScript's own by default. */
  openSocket?: () => Promise<UdpSocket>
  /** An address that a TURN server lends this side; the punch closes it. */
  relay?: Pick<Allocation, 'onDatagram' | 'send' | 'close' | 'permit' | 'bind'> | undefined
}

export interface Punched {
  /** The socket that reaches the peer: the one given, or behind a symmetric NAT perhaps another. */
  socket: UdpSocket
  /** The peer's nominated address. */
  nominated: Nominated
  stats: CheckStats
  /** The round trip to the nominated address, as far as a check was answered. Milliseconds. */
  rttMs: number | undefined
  /** Where the socket's packets go, and how that changes. */
  path: Path
  /** Takes what is STUN on the session's socket: the peer's late checks, and those that look for a better path. */
  answerCheck(datagram: Uint8Array, from: Endpoint): void
  /** The nominated peer's first QUIC packets, where they overtook the end of the checks. */
  early: Uint8Array[]
  /** Closes what is open besides the socket. */
  close(): void
}

const defaultLimitMs = 10_000
/** For two NATs that map by destination: a chance for one that is not as strict as it looks, and no more. */
const hopelessLimitMs = 3_000
/** The first flight of a QUIC client; more than this before nomination is not ours. */
const maxEarly = 16

/**
 * Sends connectivity checks until both sides have been heard and the pair is nominated; behind a
 * symmetric NAT or towards one by many sockets or to many ports (birthday.ts) when ordinary checks have
 * failed. Takes over `socket`: on success exactly one socket is open, the one given back, unless it reaches the peer by
 * a relay: then checks go on, and the path may move to a direct one. Throws a
 * PunchError at the limit, a CandidateError at once when it may send to none of the candidates; the socket is the
 * caller's again then.
 */
export async function punch(socket: UdpSocket, options: PunchOptions): Promise<Punched> {
  const { mapping, admission, signal, relay, openSocket = openUdpSocket } = options
  const birthday = birthdayPart(mapping.local, mapping.remote)
  const hasRelay = relay !== undefined || options.candidates.some(isRelayed)
  const hopeless = isHard(mapping.local) && isHard(mapping.remote) && !hasRelay
  const limitMs = options.limitMs ?? (hopeless ? hopelessLimitMs : defaultLimitMs)
  signal?.throwIfAborted()
  const candidates = admitCandidates(options.candidates, admission)
  relay?.permit([...new Set(candidates.map(({ address }) => address))])
  const list = new CheckList(
    {
      ...options,
      candidates,
      birthday,
      hasRelay: relay !== undefined,
      admits: address => admits(admission, address),
    },
    performance.now(),
  )
  const early: Uint8Array[] = []
  const { promise, resolve, reject } = Promise.withResolvers<Nominated>()
  let timer: ReturnType<typeof setTimeout> | undefined
  let searching: ReturnType<typeof setTimeout> | undefined
  let path: Path | undefined

  const sockets = createSockets(
    socket,
    relay,
    (datagram, from, via) => {
      const kind = classify(datagram)
      if (kind === 'stun') receive(datagram, from, via)
      else if (kind === 'quic' && !path?.deliver(datagram, { ...from, via }) && isPeers(from, via))
        if (early.length < maxEarly) early.push(new Uint8Array(datagram))
      look()
    },
    openSocket,
  )
  const flush = (outgoing: Outgoing[]) => {
    for (const each of outgoing) sockets.send(each)
  }
  const receive = (datagram: Uint8Array, from: Endpoint, via: number) =>
    flush(list.receive(datagram, from, performance.now(), via))
  /** By the nominated pair, or over the bridge that carries it to the session's socket. */
  const isPeers = (from: Endpoint, via: number) =>
    list.confirm(from, via) || (via === 0 && path !== undefined && sameEndpoint(from, path.peer))
  /** Acts on a nomination: the first, and one that takes its place. */
  const look = () => {
    if (!list.nominated) return
    if (path) path.take(list.nominated)
    else resolve(list.nominated)
  }
  const next = () => {
    clearTimeout(timer)
    flush(list.poll(performance.now()))
    look()
    const nextMs = list.nextAt() - performance.now()
    if (nextMs < Number.POSITIVE_INFINITY) timer = setTimeout(next, Math.min(Math.max(1, nextMs), limitMs))
  }
  const fail = () =>
    reject(
      new PunchError({
        candidates,
        stats: list.stats,
        sockets: sockets.opened,
        mapping,
        limitMs,
      }),
    )
  const abort = () => reject(signal?.reason)
  signal?.addEventListener('abort', abort, { once: true })
  const limit = setTimeout(fail, limitMs)
  next()
  try {
    const nominated = await promise
    const isLast = !isRelayed(nominated) || options.relayOnly === true
    if (isLast) clearTimeout(timer)
    const chosen = isRelayed(nominated)
      ? await relayedPath({ socket, sockets, relay, nominated, mayMove: !isLast })
      : directPath({ sockets, nominated })
    path = chosen
    // The chance of meeting by one of many sockets is over then, and they are needed no more.
    if (!isLast)
      searching = setTimeout(() => sockets.closeAllBut(relayVia, list.nominated?.via ?? 0), searchMs)
    look()
    // Its handler stays in place: packets that arrive before QUIC takes over join `early`.
    return {
      socket: isRelayed(nominated) ? socket : (sockets.get(nominated.via) as UdpSocket),
      nominated,
      stats: list.stats,
      rttMs: list.rttMs,
      path: chosen,
      early,
      answerCheck(datagram, from) {
        receive(datagram, from, isRelayed(nominated) ? 0 : nominated.via)
        look()
      },
      close() {
        clearTimeout(timer)
        clearTimeout(searching)
        chosen.close()
      },
    }
  } catch (error) {
    clearTimeout(timer)
    sockets.abandon()
    throw error
  } finally {
    clearTimeout(limit)
    signal?.removeEventListener('abort', abort)
  }
}
