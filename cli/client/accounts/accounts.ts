import { errorData } from '../../../tunnel/net/coded-error.ts'
import { Ledger, type Traffic } from '../ledger/ledger.ts'
import { dayOf, endOf, prefixOf } from '../ledger/period.ts'
import type { Events } from '../stats/events.ts'
import { Account } from './account.ts'
import { sameLimits } from './limits.ts'
import type { Login } from './login.ts'

export interface AccountsOptions {
  events: Events
  /** Where usage is kept from run to run; without one, it is that of this run. */
  ledger?: Ledger | undefined
  /** Milliseconds since 1970. */
  now?: () => number
  /** How often what was carried is written down. Milliseconds. */
  writeMs?: number
}

const defaultWriteMs = 5_000

/** The accounts of all logins, by name. */
export class Accounts {
  readonly #events: Events
  #ledger: Ledger | undefined
  readonly #now: () => number
  readonly #accounts = new Map<string, Account>()
  /** The usage last reported for each account. */
  readonly #told = new Map<string, number>()
  readonly #timer: ReturnType<typeof setInterval>
  #failed = false

  constructor({ events, ledger, now = Date.now, writeMs = defaultWriteMs }: AccountsOptions) {
    this.#events = events
    this.#ledger = ledger
    this.#now = now
    this.#timer = setInterval(() => this.write(), writeMs)
    this.#timer.unref()
  }

  /** The account of a login, with the login's current limits. */
  of({ user, limits }: Login): Account {
    const known = this.#accounts.get(user)
    if (known && sameLimits(known.limits, limits)) return known
    const account = known ?? new Account(user, used => this.#tellUsedUp(used))
    this.#accounts.set(user, account)
    account.limit(limits)
    this.#writeAll([account])
    return account
  }

  /** Applies the current limits of these logins to existing accounts. */
  update(logins: readonly Login[]): void {
    for (const login of logins) if (this.#accounts.has(login.user)) this.of(login)
  }

  /** Writes down what was carried, and reads what other runs have used. */
  write(): void {
    this.#writeAll(
      [...this.#accounts.values()].filter(({ unwritten, limits }) => limits.quota || moved(unwritten)),
    )
  }

  close(): void {
    clearInterval(this.#timer)
    this.write()
  }

  #writeAll(accounts: readonly Account[]): void {
    if (accounts.length === 0) return
    const now = this.#now()
    try {
      this.#ledger ??= new Ledger()
      const ledger = this.#ledger
      const carried = accounts.filter(({ unwritten }) => moved(unwritten))
      ledger.addTraffic(dayOf(now), new Map(carried.map(({ user, unwritten }) => [user, unwritten])))
      for (const account of accounts) {
        const { quota } = account.limits
        const { up, down } = ledger.traffic(account.user, prefixOf(quota?.period ?? 'month', now))
        account.wrote(up + down)
      }
      this.#failed = false
    } catch (error) {
      // It is written the next time, and told once.
      if (!this.#failed) this.#events.emit({ type: 'ledger.failed', ...errorData(error) })
      this.#failed = true
    }
    this.#tellUsage(accounts, now)
  }

  #tellUsage(accounts: readonly Account[], now: number): void {
    const changed = accounts.filter(({ user, used }) => this.#told.get(user) !== used)
    if (changed.length === 0) return
    for (const { user, used } of changed) this.#told.set(user, used)
    this.#events.emit({
      type: 'usage.sampled',
      users: changed.map(({ user, used, limits: { quota } }) => ({
        user,
        used,
        period: quota?.period ?? 'month',
        ...(quota && { quota: quota.bytes }),
        resetsAt: endOf(quota?.period ?? 'month', now),
      })),
    })
  }

  #tellUsedUp({ user, limits: { quota } }: Account): void {
    if (quota)
      this.#events.emit({
        type: 'quota.reached',
        user,
        quota: quota.bytes,
        period: quota.period,
        resetsAt: endOf(quota.period, this.#now()),
      })
  }
}

// --- internal ---

const moved = ({ up, down }: Traffic) => up !== 0 || down !== 0
