import { classify } from '../../net/demux.ts'
import type { Endpoint } from '../../net/endpoint.ts'
import { openUdpSocket } from '../../net/udp/open.ts'
import type { UdpSocket } from '../../net/udp/socket.ts'
import { type Behaviour, isHard } from '../stun/mapping.ts'
import { birthdayPart } from './birthday.ts'
import { type Admission, admitCandidates, admits } from './candidates.ts'
import { CheckList, type CheckListOptions, type CheckStats, type Outgoing } from './check-list.ts'
import { PunchError } from './error.ts'
import type { Route } from './route.ts'
import { createSockets } from './sockets.ts'

export interface PunchOptions extends Omit<CheckListOptions, 'birthday' | 'admits'> {
  /** Which of the peer's addresses may be sent to. */
  admission: Admission
  /** How each side's NAT maps, as offer and answer say. */
  mapping: { local: Behaviour; remote: Behaviour }
  /** Limit in milliseconds, 10,000 by default; 3,000 where both NATs map by destination. */
  limitMs?: number
  signal?: AbortSignal
  /** Opens more sockets like the one given, which is what the session goes on with; JavaScript's own by default. */
  openSocket?: () => Promise<UdpSocket>
}

export interface Punched {
  /** The socket that reaches the peer: the one given, or behind a symmetric NAT perhaps another. The rest are closed. */
  socket: UdpSocket
  /** The peer's nominated address. */
  nominated: Endpoint
  stats: CheckStats
  /** Answers the peer's late checks; the session goes on calling it for what is STUN. */
  answerCheck(datagram: Uint8Array, from: Endpoint): void
  /** The nominated peer's first QUIC packets, where they overtook the end of the checks. */
  early: Uint8Array[]
}

const defaultLimitMs = 10_000
/** For two NATs that map by destination: a chance for one that is not as strict as it looks, and no more. */
const hopelessLimitMs = 3_000
/** The first flight of a QUIC client; more than this before nomination is not ours. */
const maxEarly = 16

/**
 * Sends connectivity checks until both sides have been heard and the pair is nominated; behind a
 * symmetric NAT or towards one by many sockets or to many ports (birthday.ts) when ordinary checks have
 * failed. Takes over `socket`: on success exactly one socket is open, the one given back. Throws a
 * PunchError at the limit, a CandidateError at once when it may send to none of the candidates; the socket is the
 * caller's again then.
 */
export async function punch(socket: UdpSocket, options: PunchOptions): Promise<Punched> {
  const { mapping, admission, signal, openSocket = openUdpSocket } = options
  const birthday = birthdayPart(mapping.local, mapping.remote)
  const hopeless = isHard(mapping.local) && isHard(mapping.remote)
  const limitMs = options.limitMs ?? (hopeless ? hopelessLimitMs : defaultLimitMs)
  signal?.throwIfAborted()
  const candidates = admitCandidates(options.candidates, admission)
  const list = new CheckList(
    { ...options, candidates, birthday, admits: address => admits(admission, address) },
    performance.now(),
  )
  const early: Uint8Array[] = []
  const { promise, resolve, reject } = Promise.withResolvers<Route>()
  let timer: ReturnType<typeof setTimeout> | undefined

  const sockets = createSockets(
    socket,
    (datagram, from, via) => {
      const kind = classify(datagram)
      if (kind === 'stun') flush(list.receive(datagram, from, performance.now(), via))
      else if (kind === 'quic' && early.length < maxEarly && list.confirm(from, via))
        early.push(new Uint8Array(datagram))
      if (list.nominated) resolve(list.nominated)
    },
    openSocket,
  )
  const flush = (outgoing: Outgoing[]) => {
    for (const each of outgoing) sockets.send(each)
  }
  const next = () => {
    clearTimeout(timer)
    if (list.nominated) return resolve(list.nominated)
    flush(list.poll(performance.now()))
    timer = setTimeout(next, Math.min(Math.max(1, list.nextAt() - performance.now()), limitMs))
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
    // Its handler stays in place: packets that arrive before QUIC takes over join `early`.
    return {
      socket: sockets.keep(nominated.via),
      nominated,
      stats: list.stats,
      early,
      answerCheck: (datagram, from) => flush(list.receive(datagram, from, performance.now(), nominated.via)),
    }
  } catch (error) {
    sockets.abandon()
    throw error
  } finally {
    clearTimeout(timer)
    clearTimeout(limit)
    signal?.removeEventListener('abort', abort)
  }
}
