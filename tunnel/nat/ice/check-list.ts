import { randomBytes } from 'node:crypto'
import { BoundedMap } from '../../net/bounded-map.ts'
import type { Endpoint } from '../../net/endpoint.ts'
import { checkRequest, checkResponse, parseStun } from '../stun/message.ts'
import { type BirthdayPart, birthdayAfterMs, birthdayChecks, createSpray, type Spray } from './birthday.ts'
import type { Candidate } from './candidate.ts'
import { type Route, routeKey, sameRoute } from './route.ts'

/** One side's ICE user fragment and password, as its offer or answer gives them (RFC 8445, section 5.3). */
export interface IceCredentials {
  ufrag: string
  password: string
}

export interface CheckListOptions {
  local: IceCredentials
  remote: IceCredentials
  /** The other side's candidates, best first. */
  candidates: readonly Candidate[]
  /** The client is controlling: it nominates; the function follows. */
  controlling: boolean
  /** Milliseconds between checks of one pair, 20 by default. */
  intervalMs?: number
  /** What this side does where ordinary checks fail because one NAT hides its ports. Nothing by default. */
  birthday?: BirthdayPart
  /** Whether an address may be the peer's; checks from any other are not answered. All of them by default. */
  admits?: (address: string) => boolean
  /**
   * Milliseconds before the first check that nobody asked for. Behind a NAT that maps by destination, a check towards
   * the peer takes up the mapping that the peer's own would come in by at a port that the router opened: conntrack then
   * drops them. None by default.
   */
  holdMs?: number | undefined
  /** Random numbers, 0 to 1, of which the ports to probe are made; Math.random by default. */
  random?: () => number
}

export interface Outgoing {
  datagram: Uint8Array
  to: Route
}

/** What was sent and heard: what an error message is made of. */
export interface CheckStats {
  checksSent: number
  /** Those of them that went out on the chance of hitting an open port (birthday.ts). */
  sprayed: number
  checksReceived: number
  responsesReceived: number
  /** Datagrams that looked like checks but were not authentic. */
  forged: number
  /** Candidates learnt from a check's source (peer-reflexive). */
  peerReflexive: number
}

/** More sources than this are an attack, not a NAT. */
const maxCandidates = 16
/** Transactions remembered: what comes later than this many checks counts as lost. */
const maxOutstanding = 512 + birthdayChecks
/** Checks that a session sends by itself; who has not been reached by then is not there. */
export const maxChecks = birthdayChecks + 1_024
/** Checks are spaced at 20 ms at first and slower after this many, up to 50 ms (RFC 8445, 14.2 sets the floor at 5). */
const briskChecks = 25

interface Pair {
  route: Route
  /** Our check was answered: the peer hears us and we hear the peer. */
  succeeded: boolean
  /** An authentic check came from here: the peer's side of the hole is open. */
  heard: boolean
  /** The controlling side chose this pair. */
  chosen: boolean
  /** The controlling side's nomination was answered. */
  agreed: boolean
  nextAt: number
  sent: number
}

/**
 * The connectivity checks of one session as a pure machine of datagrams and time (milliseconds, any
 * origin): no socket, no timer, so that it runs in a simulated network as it does in a real one.
 * Regular nomination (RFC 8445, section 8.1.1): the controlling side repeats the check of the first
 * pair that succeeds with USE-CANDIDATE; both end with the same pair.
 */
export class CheckList {
  readonly stats: CheckStats = {
    checksSent: 0,
    sprayed: 0,
    checksReceived: 0,
    responsesReceived: 0,
    forged: 0,
    peerReflexive: 0,
  }
  /** The nominated address of the peer and the socket that reaches it, once both sides have been heard. */
  nominated: Route | undefined

  readonly #options: CheckListOptions
  readonly #tieBreaker = randomBytes(8)
  readonly #pairs = new Map<string, Pair>()
  #chosen = false
  readonly #outstanding = new BoundedMap<string, { route: Route; nominating: boolean }>(maxOutstanding)
  /** Held until it starts, dropped at the first success. */
  #spray: Spray | undefined

  constructor(options: CheckListOptions, now: number) {
    const { candidates, controlling, birthday, random, holdMs = 0 } = options
    this.#options = options
    for (const candidate of candidates) this.#pair({ ...candidate, via: 0 }, now + holdMs)
    const startAt = now + birthdayAfterMs[controlling ? 'controlling' : 'controlled']
    // A port that a router opened, or a relay's, says nothing about where the NAT maps.
    const punched = candidates.find(({ kind }) => kind === 'server-reflexive') ?? candidates[0]
    if (birthday && punched) this.#spray = createSpray(birthday, punched, startAt, random)
  }

  /** The checks that are due. Call again at `nextAt()`. */
  poll(now: number): Outgoing[] {
    if (this.#isSpent) return []
    const due: Outgoing[] = []
    for (const pair of this.#pairs.values()) if (pair.nextAt <= now) due.push(this.#check(pair, now))
    for (const route of this.#spray?.take(now) ?? []) {
      this.stats.sprayed++
      due.push(this.#send(route, false))
    }
    return due
  }

  /** When the next check is due, or Infinity when there is nothing left to do. */
  nextAt(): number {
    if (this.#isSpent) return Number.POSITIVE_INFINITY
    let next = this.#spray?.nextAt() ?? Number.POSITIVE_INFINITY
    for (const pair of this.#pairs.values()) next = Math.min(next, pair.nextAt)
    return next
  }

  /**
   * Takes a datagram that came to the socket `via` and gives what is to be sent at once: the response, and
   * a triggered check (RFC 8445, 7.3.1.4).
   */
  receive(datagram: Uint8Array, source: Endpoint, now: number, via = 0): Outgoing[] {
    const from = { ...source, via }
    const message = parseStun(datagram)
    if (!message) return []
    if (message.kind === 'request') {
      const { local, remote } = this.#options
      if (message.username !== `${local.ufrag}:${remote.ufrag}` || !message.authentic(local.password)) {
        this.stats.forged++
        return []
      }
      return this.#requested(message.transactionId, message.nominate, from, now)
    }
    const check = this.#outstanding.get(message.transactionId)
    // A response from another address than was asked is not symmetric and counts as failed (RFC 8445, 7.2.5.2.1).
    if (!check || message.kind !== 'success' || !sameRoute(check.route, from)) return []
    if (!message.authentic(this.#options.remote.password)) {
      this.stats.forged++
      return []
    }
    this.#outstanding.delete(message.transactionId)
    this.stats.responsesReceived++
    return this.#succeeded(this.#pair(check.route, now), check.nominating, now)
  }

  /**
   * A QUIC packet came from here. To the controlling side it says that the other end took the
   * nomination, even if the response to it was lost. True when the packet is the nominated peer's.
   */
  confirm(source: Endpoint, via = 0): boolean {
    const from = { ...source, via }
    const pair = this.#pairs.get(routeKey(from))
    if (pair && this.#options.controlling && pair.chosen && pair.succeeded) this.nominated ??= pair.route
    return this.nominated !== undefined && sameRoute(this.nominated, from)
  }

  // --- internal ---

  /** Nothing is left to send but what a peer's checks ask for. */
  get #isSpent(): boolean {
    return this.nominated !== undefined || this.stats.checksSent >= maxChecks
  }

  #requested(transactionId: string, nominate: boolean, from: Route, now: number): Outgoing[] {
    if (this.#options.admits?.(from.address) === false) {
      this.stats.forged++
      return []
    }
    this.stats.checksReceived++
    const response: Outgoing = {
      datagram: checkResponse(transactionId, from, this.#options.local.password),
      to: from,
    }
    const known = this.#pairs.has(routeKey(from))
    if (!known && (this.nominated || this.#pairs.size >= maxCandidates)) return [response]
    const pair = this.#pair(from, now)
    if (!known) this.stats.peerReflexive++
    const first = !pair.heard
    pair.heard = true
    if (nominate && !this.#options.controlling) pair.chosen = true
    this.#settle(pair)
    return first && !pair.succeeded && !this.nominated ? [response, this.#check(pair, now)] : [response]
  }

  #succeeded(pair: Pair, nominating: boolean, now: number): Outgoing[] {
    pair.succeeded = true
    this.#spray = undefined
    if (nominating) pair.agreed = true
    const choose = this.#options.controlling && !this.#chosen
    if (choose) {
      this.#chosen = true
      pair.chosen = true
    }
    this.#settle(pair)
    return choose ? [this.#check(pair, now)] : []
  }

  /**
   * The controlled side is done when it was told and its own check came through; the controlling side
   * when it knows that its nomination arrived, or else a lost packet would leave the other side waiting.
   */
  #settle(pair: Pair): void {
    const told = this.#options.controlling ? pair.agreed : pair.chosen
    if (told && pair.succeeded && pair.heard) this.nominated ??= pair.route
  }

  #pair(route: Route, now: number): Pair {
    const key = routeKey(route)
    let pair = this.#pairs.get(key)
    if (!pair) {
      pair = { route, succeeded: false, heard: false, chosen: false, agreed: false, nextAt: now, sent: 0 }
      this.#pairs.set(key, pair)
    }
    return pair
  }

  #check(pair: Pair, now: number): Outgoing {
    const { controlling, intervalMs = 20 } = this.#options
    pair.sent++
    pair.nextAt = now + (pair.sent < briskChecks ? intervalMs : intervalMs * 2.5)
    return this.#send(pair.route, controlling && pair.chosen)
  }

  #send(route: Route, nominating: boolean): Outgoing {
    const { local, remote, controlling } = this.#options
    const { datagram, transactionId } = checkRequest({
      username: `${remote.ufrag}:${local.ufrag}`,
      password: remote.password,
      controlling,
      tieBreaker: this.#tieBreaker,
      nominate: nominating,
    })
    this.#outstanding.set(transactionId, { route, nominating })
    this.stats.checksSent++
    return { datagram, to: route }
  }
}
