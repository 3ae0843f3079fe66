import type { Endpoint } from '../../net/endpoint.ts'
import { type Behaviour, isHard } from '../stun/mapping.ts'
import type { Route } from './route.ts'

// A NAT that maps each destination to another port ("hard", a symmetric NAT) hides from everybody the port that
// it will use towards the peer, and a peer whose NAT lets in only the ports it has sent to cannot be reached
// without it. Ports are few, though, and as with birthdays in a class two random choices soon meet: the hard
// side opens many mappings towards the peer's one known address, the easy side tries ports at random.

/** Sockets of the hard side, the session's own among them: as many entries in its NAT, and as many open files. */
export const hardSockets = 256
/** Checks that each side sends at most: at the easy side as many entries in its NAT. Some 250 KB. */
export const birthdayChecks = 2_048
/** The time it takes to send them all, in milliseconds. */
export const birthdayMs = 5_000
/**
 * Milliseconds for ordinary checks alone. The controlled side begins before the other has read its answer,
 * and gives it time to.
 */
export const birthdayAfterMs = { controlling: 600, controlled: 1_200 }

/** NATs map to 1024 and up; what lies below belongs to well-known services. */
const firstPort = 1_024
const portCount = 65_536 - firstPort
/** After a pause of the process what is due goes out in pieces of this many, so that answers are read between them. */
const burst = 16

/** What this side does: opens many mappings, or probes at random. Undefined where neither is of use. */
export type BirthdayPart = 'open' | 'probe'

/** The parts are dealt where one side is hard and the other is not known to be; two hard sides share no fixed point. */
export function birthdayPart(local: Behaviour, remote: Behaviour): BirthdayPart | undefined {
  const [here, there] = [isHard(local), isHard(remote)]
  if (here === there) return undefined
  return here ? 'open' : 'probe'
}

/**
 * The probability that some probe hits an open port, wherever among the 64,512 the NAT has opened them:
 * 99.97 % with all 256 sockets and 2,048 probes, 64 % after 256 probes.
 */
export function hitProbability(sockets = hardSockets, probes = birthdayChecks): number {
  let miss = 1
  for (let sent = 0; sent < probes; sent++) miss *= Math.max(0, 1 - sockets / (portCount - sent))
  return 1 - miss
}

/** One side's checks of this mode, evenly over its time. */
export interface Spray {
  /** The checks that are due. */
  take(now: number): Route[]
  /** When the next is due; Infinity when all are sent. */
  nextAt(): number
}

/** `peer` is the other side's public address; the port matters to the part that opens, the random numbers (0 to 1) to the other. */
export function createSpray(
  part: BirthdayPart,
  peer: Endpoint,
  startAt: number,
  random: () => number = Math.random,
): Spray {
  const routes = part === 'open' ? eachSocket(peer) : randomPorts(peer, random)
  let sent = 0
  const nextAt = () =>
    sent < birthdayChecks ? startAt + (sent * birthdayMs) / birthdayChecks : Number.POSITIVE_INFINITY
  return {
    nextAt,
    take(now) {
      const due: Route[] = []
      while (nextAt() <= now && due.length < burst) due.push(routes(sent++))
      return due
    },
  }
}

// --- internal ---

/** One socket after the other, eight rounds: a check that is lost, or comes before the probe that lets it in, has followers. */
const eachSocket =
  (peer: Endpoint) =>
  (index: number): Route => ({ ...peer, via: index % hardSockets })

/** No port twice: the front of a shuffled pack, shuffled card by card. */
function randomPorts({ address }: Endpoint, random: () => number): (index: number) => Route {
  const pack = Uint16Array.from({ length: portCount }, (_, index) => firstPort + index)
  return index => {
    const pick = index + Math.floor(random() * (portCount - index))
    const port = pack[pick]!
    pack[pick] = pack[index]!
    pack[index] = port
    return { address, port, via: 0 }
  }
}
