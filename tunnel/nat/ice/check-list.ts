import { type Endpoint, formatEndpoint } from '../../net/endpoint.ts'
import { checkResponse, parseStun } from '../stun/message.ts'
import { type BirthdayPart, birthdayAfterMs, birthdayChecks, createSpray, type Spray } from './birthday.ts'
import { type Candidate, type CandidateKind, isRelayed } from './candidate.ts'
import type { IceCredentials } from './credentials.ts'
import { type Nominated, newPair, type Pair } from './pair.ts'
import { type Route, relayVia, routeKey, sameRoute } from './route.ts'
import { Transactions } from './transactions.ts'

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
  /** This side has an address of a TURN server's, too. */
  hasRelay?: boolean
  /**
   * Whether only relayed pairs are used, to hide each end's address from the other. Otherwise they are the last resort:
   * nominated when nothing direct was after `relayAfterMs`, and given up for a direct pair that comes up later.
   */
  relayOnly?: boolean
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
const maxPairs = 16
/** Checks that a session sends by itself to begin with; who has not been reached by then is not there. */
export const maxChecks = birthdayChecks + 1_024
/** And some more while a direct pair takes a relayed one's place. */
const moveChecks = 256
/** Checks are spaced at 20 ms at first and slower after this many, up to 50 ms (RFC 8445, 14.2 sets the floor at 5). */
const briskChecks = 25

/** So long is a direct pair waited for, where there is a relayed one. Milliseconds. */
export const relayAfterMs = 1_000
/**
 * A session that goes by a relay looks for a direct pair with the ordinary vigour for so long, and then now and then.
 * Milliseconds.
 */
export const searchMs = 10_000
const searchIntervalMs = 5_000

/**
 * The connectivity checks of one session as a pure machine of datagrams and time (milliseconds, any
 * origin): no socket, no timer, so that it runs in a simulated network as it does in a real one.
 * Regular nomination (RFC 8445, section 8.1.1): the controlling side repeats the check of the first
 * pair that succeeds with USE-CANDIDATE; both end with the same pair. A relayed pair may be followed by a direct one,
 * nominated in the same way.
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
  /**
   * The nominated address of the peer and the socket that reaches it, once both sides have been heard. It changes once
   * at the most, from a relayed pair to a direct one.
   */
  nominated: Nominated | undefined

  readonly #options: CheckListOptions
  readonly #transactions: Transactions
  readonly #pairs = new Map<string, Pair>()
  /** By address, without the socket. */
  readonly #kinds = new Map<string, CandidateKind>()
  readonly #began: number
  /** What the controlling side has chosen last. */
  #chosen: 'none' | 'relayed' | 'direct' = 'none'
  /** Held until it starts, dropped at the first success. */
  #spray: Spray | undefined

  constructor(options: CheckListOptions, now: number) {
    const { candidates, controlling, birthday, random } = options
    this.#options = options
    this.#transactions = new Transactions(options)
    this.#began = now
    for (const candidate of candidates) {
      this.#kinds.set(formatEndpoint(candidate), candidate.kind ?? 'server-reflexive')
      this.#pair({ ...candidate, via: 0 }, now)
      if (options.hasRelay) this.#pair({ ...candidate, via: relayVia }, now)
    }
    const startAt = now + birthdayAfterMs[controlling ? 'controlling' : 'controlled']
    // A port that a router opened, or a relay's, says nothing about where the NAT maps.
    const punched = candidates.find(({ kind }) => kind === 'server-reflexive') ?? candidates[0]
    if (birthday && punched && !isRelayed(punched) && !options.relayOnly)
      this.#spray = createSpray(birthday, punched, startAt, random)
  }

  /** The nominated pair's round trip, the shortest that a check had; undefined before one was answered. Milliseconds. */
  get rttMs(): number | undefined {
    const rttMs = this.nominated && this.#pairs.get(routeKey(this.nominated))?.rttMs
    return rttMs !== undefined && Number.isFinite(rttMs) ? rttMs : undefined
  }

  /** The checks that are due. Call again at `nextAt()`. */
  poll(now: number): Outgoing[] {
    this.#chooseRelayed(now)
    if (now < this.#spentUntil()) return []
    const due: Outgoing[] = []
    for (const pair of this.#checked()) if (pair.nextAt <= now) due.push(this.#check(pair, now))
    for (const route of this.#spray?.take(now) ?? []) {
      this.stats.sprayed++
      due.push(this.#send(route, false, now))
    }
    return due
  }

  /** When the next check is due, or Infinity when there is nothing left to do. */
  nextAt(): number {
    let next = this.#spray?.nextAt() ?? Number.POSITIVE_INFINITY
    for (const pair of this.#checked()) next = Math.min(next, pair.nextAt)
    return Math.max(next, this.#spentUntil())
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
    const check = this.#transactions.end(message, from)
    if (check === 'forged') this.stats.forged++
    if (!check || check === 'forged') return []
    this.stats.responsesReceived++
    const pair = this.#pair(check.route, now)
    pair.rttMs = Math.min(pair.rttMs, now - check.sentAt)
    pair.seenAs = message.mapped ?? pair.seenAs
    return this.#succeeded(pair, check.nominating, now)
  }

  /**
   * A QUIC packet came from here. To the controlling side it says that the other end took the
   * nomination, even if the response to it was lost. True when the packet is the nominated peer's.
   */
  confirm(source: Endpoint, via = 0): boolean {
    const from = { ...source, via }
    const pair = this.#pairs.get(routeKey(from))
    if (pair && this.#options.controlling && pair.chosen && pair.succeeded) this.#nominate(pair)
    return this.nominated !== undefined && sameRoute(this.nominated, from)
  }

  // --- internal ---

  /** Nothing better than what is nominated can come up. */
  get #isSettled(): boolean {
    return this.nominated !== undefined && (!isRelayed(this.nominated) || this.#options.relayOnly === true)
  }

  /** A direct pair is being nominated in a relayed one's place. */
  get #isMoving(): boolean {
    return (
      this.nominated !== undefined && [...this.#pairs.values()].some(pair => pair.chosen && !isRelayed(pair))
    )
  }

  /** Until then nothing is sent but what a peer's checks ask for. */
  #spentUntil(): number {
    if (this.#isSettled) return Number.POSITIVE_INFINITY
    const spare = this.#isMoving ? moveChecks : 0
    if (this.stats.checksSent < maxChecks + spare) return 0
    return this.nominated ? this.#began + searchMs : Number.POSITIVE_INFINITY
  }

  /** The pairs that are checked: once a relay serves, those that would be better. */
  *#checked(): Generator<Pair> {
    for (const pair of this.#pairs.values()) if (!(this.nominated && isRelayed(pair))) yield pair
  }

  /** A pair by a relay is chosen when the time for a direct one is up. */
  #chooseRelayed(now: number): void {
    if (!this.#mayChooseRelayed(now)) return
    for (const pair of this.#pairs.values())
      if (isRelayed(pair) && pair.succeeded) {
        this.#choose(pair, now)
        // The nomination is its next check.
        pair.nextAt = now
        return
      }
  }

  #mayChooseRelayed(now: number): boolean {
    const { controlling, relayOnly } = this.#options
    return controlling && this.#chosen === 'none' && (relayOnly || now >= this.#began + relayAfterMs)
  }

  #choose(pair: Pair, now: number): void {
    this.#chosen = isRelayed(pair) ? 'relayed' : 'direct'
    pair.chosen = true
    // From here on one end may send by it, and not hear the other where it has not come as far: with vigour.
    pair.vigorousUntil = now + searchMs
  }

  #nominate(pair: Pair): void {
    if (!this.#isSettled && !(this.nominated && isRelayed(pair)))
      this.nominated = { ...pair.route, kind: pair.kind, ...(pair.seenAs && { seenAs: pair.seenAs }) }
  }

  #requested(transactionId: string, nominate: boolean, from: Route, now: number): Outgoing[] {
    if (this.#options.admits?.(from.address) === false || !this.#isUsed(from)) {
      this.stats.forged++
      return []
    }
    this.stats.checksReceived++
    const response: Outgoing = {
      datagram: checkResponse(transactionId, from, this.#options.local.password),
      to: from,
    }
    const known = this.#pairs.has(routeKey(from))
    if (!known && (this.#isSettled || this.#pairs.size >= maxPairs)) return [response]
    const pair = this.#pair(from, now)
    if (!known) this.stats.peerReflexive++
    const first = !pair.heard
    pair.heard = true
    const chooses = nominate && !this.#options.controlling && !pair.chosen
    if (chooses) this.#choose(pair, now)
    this.#settle(pair)
    return (first || chooses) && !pair.succeeded && !this.#isSettled
      ? [response, this.#check(pair, now)]
      : [response]
  }

  #succeeded(pair: Pair, nominating: boolean, now: number): Outgoing[] {
    pair.succeeded = true
    if (!isRelayed(pair)) this.#spray = undefined
    if (nominating) pair.agreed = true
    const choose = isRelayed(pair)
      ? this.#mayChooseRelayed(now)
      : this.#options.controlling && this.#chosen !== 'direct'
    if (choose) this.#choose(pair, now)
    this.#settle(pair)
    return choose ? [this.#check(pair, now)] : []
  }

  /**
   * The controlled side is done when it was told and its own check came through; the controlling side
   * when it knows that its nomination arrived, or else a lost packet would leave the other side waiting.
   */
  #settle(pair: Pair): void {
    const told = this.#options.controlling ? pair.agreed : pair.chosen
    if (told && pair.succeeded && pair.heard) this.#nominate(pair)
  }

  #pair(route: Route, now: number): Pair {
    const key = routeKey(route)
    let pair = this.#pairs.get(key)
    if (!pair) {
      const { address, port, via } = route
      pair = newPair({
        route: { address, port, via },
        kind: this.#kindOf(route),
        nextAt: this.#isUsed(route) ? now : Number.POSITIVE_INFINITY,
        vigorousUntil: this.#began + searchMs,
      })
      this.#pairs.set(key, pair)
    }
    return pair
  }

  #kindOf(route: Route): CandidateKind {
    return route.via === relayVia ? 'relayed' : (this.#kinds.get(formatEndpoint(route)) ?? 'peer-reflexive')
  }

  #isUsed(route: Route): boolean {
    return !this.#options.relayOnly || this.#kindOf(route) === 'relayed'
  }

  #check(pair: Pair, now: number): Outgoing {
    const { controlling, intervalMs = 20 } = this.#options
    pair.sent++
    const isSearching = this.nominated !== undefined && now >= pair.vigorousUntil
    const ordinaryMs = pair.sent < briskChecks ? intervalMs : intervalMs * 2.5
    pair.nextAt = now + (isSearching ? searchIntervalMs : ordinaryMs)
    return this.#send(pair.route, controlling && pair.chosen, now)
  }

  #send(route: Route, nominating: boolean, now: number): Outgoing {
    this.stats.checksSent++
    return { datagram: this.#transactions.begin({ route, nominating, sentAt: now }), to: route }
  }
}
