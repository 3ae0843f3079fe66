import { classify } from '../demux.ts'
import { type Endpoint, formatEndpoint } from '../endpoint.ts'
import type { UdpSocket } from '../udp/socket.ts'
import { CheckList, type CheckListOptions, type CheckStats } from './check-list.ts'

export interface PunchOptions extends Omit<CheckListOptions, 'candidates'> {
  candidates: Endpoint[]
  /** Limit in milliseconds, 10,000 by default. */
  limitMs?: number
  signal?: AbortSignal
}

export interface Punched {
  /** The peer's nominated address. */
  nominated: Endpoint
  stats: CheckStats
  /** Answers the peer's late checks; the session goes on calling it for what is STUN. */
  answerCheck(datagram: Uint8Array, from: Endpoint): void
  /** The nominated peer's first QUIC packets, where they overtook the end of the checks. */
  early: Uint8Array[]
}

/** The limit passed; says what was sent, what was heard, and which NAT behaviour that points to. */
export class PunchError extends Error {
  override name = 'PunchError'
  constructor(
    readonly candidates: Endpoint[],
    readonly stats: CheckStats,
    readonly limitMs: number,
  ) {
    super(
      `no path to the other side within ${limitMs / 1000} s: sent ${stats.checksSent} checks to ${candidates.map(formatEndpoint).join(', ')}, ` +
        `heard ${stats.checksReceived} checks and ${stats.responsesReceived} responses. ${diagnose(stats)}`,
    )
  }
}

const defaultLimitMs = 10_000
/** The first flight of a QUIC client; more than this before nomination is not ours. */
const maxEarly = 16

/**
 * Sends connectivity checks until both sides have been heard and the pair is nominated. Takes over
 * `socket.onDatagram` while it runs. Throws a PunchError at the limit.
 */
export async function punch(socket: UdpSocket, options: PunchOptions): Promise<Punched> {
  const { limitMs = defaultLimitMs, signal } = options
  signal?.throwIfAborted()
  const list = new CheckList(options, performance.now())
  const early: Uint8Array[] = []
  const { promise, resolve, reject } = Promise.withResolvers<Endpoint>()
  let timer: ReturnType<typeof setTimeout> | undefined

  const flush = (outgoing: { datagram: Uint8Array; to: Endpoint }[]) => {
    for (const { datagram, to } of outgoing) socket.send(datagram, to)
  }
  const next = () => {
    clearTimeout(timer)
    if (list.nominated) return resolve(list.nominated)
    flush(list.poll(performance.now()))
    timer = setTimeout(next, Math.max(1, list.nextAt() - performance.now()))
  }
  socket.onDatagram = (datagram, address, port) => {
    const from = { address, port }
    const kind = classify(datagram)
    if (kind === 'stun') flush(list.receive(datagram, from, performance.now()))
    else if (kind === 'quic' && early.length < maxEarly && list.confirm(from))
      early.push(new Uint8Array(datagram))
    if (list.nominated) resolve(list.nominated)
  }
  const abort = () => reject(signal?.reason)
  signal?.addEventListener('abort', abort, { once: true })
  const limit = setTimeout(() => reject(new PunchError(options.candidates, list.stats, limitMs)), limitMs)
  next()
  let done = false
  try {
    const nominated = await promise
    done = true
    return {
      nominated,
      stats: list.stats,
      early,
      answerCheck: (datagram, from) => flush(list.receive(datagram, from, performance.now())),
    }
  } finally {
    // A success leaves the handler in place: packets that arrive before QUIC takes over join `early`.
    if (!done) socket.onDatagram = () => {}
    clearTimeout(timer)
    clearTimeout(limit)
    signal?.removeEventListener('abort', abort)
  }
}

// --- internal ---

/** What the counts say about the NATs in between, and what a person can do about it. */
function diagnose({ checksReceived, responsesReceived, forged }: CheckStats): string {
  if (checksReceived > 0 && responsesReceived === 0)
    return 'Its checks arrive here but ours are not answered there: the NAT or firewall on the other side lets nothing in.'
  if (responsesReceived > 0)
    return 'Checks are answered but the pair could not be agreed: heavy packet loss is the likely cause. Try again.'
  if (forged > 0)
    return 'Only checks that were not authentic arrived: somebody else sends to this port, or the offer and answer do not belong together.'
  return (
    'Nothing came back: either side’s NAT may map each destination to another port (symmetric NAT), or UDP is blocked. ' +
    'Try another network, for example a phone’s hotspot, or a router setting such as "full cone NAT".'
  )
}
