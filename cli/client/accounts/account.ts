import type { ErrorData } from '../../../tunnel/net/coded-error.ts'
import type { Conn } from '../../../tunnel/net/conn.ts'
import type { Traffic } from '../ledger/ledger.ts'
import type { Limits } from './limits.ts'
import { type Direction, type Meter, MeteredConn } from './metered-conn.ts'
import { TokenBucket } from './token-bucket.ts'

/** A connection's place in an account. */
export interface Lease {
  /** The account's quota was used up while it was open: it was cut off. */
  readonly wasCut: boolean
  /** The same connection, counted and held to the account's rate; the lease ends with it. */
  meter(conn: Conn): Conn
  /** Counts a packet. False: it may not go now, and is lost. */
  packet(direction: Direction, bytes: number): boolean
  /** Nothing goes on it: `giveUp` ends it when the login wants its place for another. Undefined: it is used again. */
  rest(giveUp: (() => void) | undefined): void
  /** Gives the place back; more often does nothing. */
  end(): void
}

/** Why a login gets no connection whose quota is used up. */
export const usedUp = (user: string): ErrorData => ({
  code: 'E_QUOTA_USED_UP',
  message: `the quota of the login ${user} is used up`,
})

/** What one login uses, in this run and, by its quota, in all. */
export class Account {
  readonly user: string
  /** Carried since it was last written down. */
  readonly unwritten: Traffic = { up: 0, down: 0 }
  readonly #onUsedUp: (account: Account) => void
  readonly #leases = new Set<OpenLease>()
  readonly #buckets: Partial<Record<Direction, TokenBucket>> = {}
  #limits: Limits = {}
  /** Bytes of the quota's period that were written down, by whichever run. */
  #written = 0

  constructor(user: string, onUsedUp: (account: Account) => void) {
    this.user = user
    this.#onUsedUp = onUsedUp
  }

  get limits(): Limits {
    return this.#limits
  }

  /** Bytes that count towards the quota. */
  get used(): number {
    return this.#written + this.unwritten.up + this.unwritten.down
  }

  /** They hold at once, for connections that are open as well. */
  limit(limits: Limits): void {
    this.#limits = limits
    for (const direction of ['up', 'down'] as const) {
      const rate = limits.rate?.[direction]
      const bucket = this.#buckets[direction]
      if (rate === undefined) delete this.#buckets[direction]
      else if (bucket) bucket.rate = rate
      else this.#buckets[direction] = new TokenBucket(rate)
    }
  }

  /** What was written down of the quota's period, and nothing more is to be written. */
  wrote(bytes: number): void {
    this.#written = bytes
    Object.assign(this.unwritten, { up: 0, down: 0 })
    this.#check()
  }

  /** A place for a connection, or why there is none. `cut` ends it when the quota is used up. */
  open(cut: () => void): Lease | ErrorData {
    const { connections } = this.#limits
    if (this.#isUsedUp) return usedUp(this.user)
    const isFull = () => connections !== undefined && this.#leases.size >= connections
    // One that is kept for a request that may never come is no reason to refuse one that has.
    if (isFull()) [...this.#leases].find(lease => lease.isAtRest)?.giveUp()
    if (isFull())
      return {
        code: 'E_USER_CONNECTIONS',
        message: `the login ${this.user} has as many connections open as it may: ${connections}`,
        hint: 'Close connections that are not needed.',
      }
    const lease: OpenLease = new OpenLease(this, cut, () => this.#leases.delete(lease))
    this.#leases.add(lease)
    return lease
  }

  count(direction: Direction, bytes: number): void {
    this.unwritten[direction] += bytes
    this.#check()
  }

  bucket(direction: Direction): TokenBucket | undefined {
    return this.#buckets[direction]
  }

  get #isUsedUp(): boolean {
    const { quota } = this.#limits
    return quota !== undefined && this.used >= quota.bytes
  }

  #check(): void {
    if (!this.#isUsedUp || this.#leases.size === 0) return
    for (const lease of [...this.#leases]) lease.cut()
    this.#onUsedUp(this)
  }
}

// --- internal ---

class OpenLease implements Lease, Meter {
  wasCut = false
  readonly #account: Account
  readonly #cut: () => void
  readonly #onEnd: () => void
  #conn: Conn | undefined
  #giveUp: (() => void) | undefined

  constructor(account: Account, cut: () => void, onEnd: () => void) {
    this.#account = account
    this.#cut = cut
    this.#onEnd = onEnd
  }

  meter(conn: Conn): Conn {
    this.#conn = conn
    if (conn.gone.aborted) this.end()
    else conn.gone.addEventListener('abort', () => this.end(), { once: true })
    return new MeteredConn(conn, this)
  }

  count(direction: Direction, bytes: number): void {
    this.#account.count(direction, bytes)
  }

  bucket(direction: Direction) {
    return this.#account.bucket(direction)
  }

  packet(direction: Direction, bytes: number): boolean {
    const bucket = this.bucket(direction)
    if (this.wasCut || bucket?.inDebt) return false
    bucket?.take(bytes)
    this.count(direction, bytes)
    return true
  }

  rest(giveUp: (() => void) | undefined): void {
    this.#giveUp = giveUp
  }

  get isAtRest(): boolean {
    return this.#giveUp !== undefined
  }

  giveUp(): void {
    this.end()
    this.#giveUp?.()
  }

  cut(): void {
    this.wasCut = true
    this.end()
    this.#conn?.abort(0)
    this.#cut()
  }

  end(): void {
    this.#onEnd()
  }
}
