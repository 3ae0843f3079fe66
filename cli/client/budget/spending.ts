import { type ErrorData, errorData } from '../../../tunnel/net/coded-error.ts'
import type { BudgetGate } from '../fleet/budget-gate.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { dayOf, endOf, prefixOf } from '../ledger/period.ts'
import type { Events } from '../stats/events.ts'
import type { Budget } from './parse-budget.ts'

/** What happens when the budget is used up. */
export const budgetActions = ['stop', 'warn'] as const
export type BudgetAction = (typeof budgetActions)[number]

export interface BudgetSettings {
  /** Without one, what is spent is written down all the same. */
  budget: Budget | undefined
  action: BudgetAction
}

export interface SpendingOptions extends BudgetSettings {
  events: Events
  ledger: Ledger
  /** Dollars that this run has cost so far. */
  cost: () => number
  /** Milliseconds since 1970. */
  now?: () => number
}

/** How often the cost is checked, and written to the ledger. Milliseconds. */
const lookMs = 1_000
const writeMs = 5_000
/** A warning is due at this share of the budget. */
const lowShare = 0.8

type State = 'open' | 'low' | 'spent'

/** Adds what this run costs to what all runs on this machine have cost, and says when that is enough. */
export class Spending implements BudgetGate {
  readonly #options: SpendingOptions
  readonly #now: () => number
  readonly #listeners = new Set<() => void>()
  readonly #timer: ReturnType<typeof setInterval>
  readonly #unsubscribe: () => void
  #settings: BudgetSettings
  #state: State = 'open'
  /** What this run has cost when it was last looked at, and how much of that is written down. */
  #cost = 0
  #written = 0
  /** What all runs have cost in the period, as it was last read. */
  #known = 0
  #wroteAt = Number.NEGATIVE_INFINITY
  #told = ''
  #failed = false

  /** Throws a LedgerError when what was spent before cannot be known. */
  constructor(options: SpendingOptions) {
    const { events, ledger, budget, action, now = Date.now } = options
    this.#options = options
    this.#now = now
    this.#settings = { budget, action }
    this.#known = ledger.spend(this.#prefix)
    this.look()
    this.#timer = setInterval(() => this.look(), lookMs)
    this.#timer.unref()
    // A launch costs at once, also when the process is killed right after it.
    this.#unsubscribe = events.subscribe(event => {
      if (event.type === 'exit.step' && event.step === 'offer') queueMicrotask(() => this.write())
    })
  }

  get refusal(): ErrorData | undefined {
    const { budget, action } = this.#settings
    if (!budget || action === 'warn' || this.#state !== 'spent') return undefined
    const day = dayOf(endOf(budget.period, this.#now()))
    return {
      code: 'E_BUDGET_SPENT',
      message: `the budget of $${budget.dollars} a ${budget.period} is used up: exits start again on ${day} (UTC)`,
    }
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Goes by these from now on. */
  update({ budget, action }: BudgetSettings): void {
    this.#settings = { budget, action }
    this.write()
    for (const listener of this.#listeners) listener()
  }

  /** Writes down what this run has cost, and reads what others have. */
  write(): void {
    const { ledger, events } = this.#options
    this.#readCost()
    try {
      const added = this.#cost - this.#written
      if (added > 0) ledger.addSpend(dayOf(this.#now()), added)
      this.#written = this.#cost
      this.#known += added
      this.#known = ledger.spend(this.#prefix)
      this.#failed = false
    } catch (error) {
      // It is counted on, written the next time, and told once.
      if (!this.#failed) events.emit({ type: 'ledger.failed', ...errorData(error) })
      this.#failed = true
    }
    this.#wroteAt = this.#now()
    this.#judge(true)
  }

  /** Looks at what this run costs, and writes it down where that is due. */
  look(): void {
    this.#readCost()
    // Whichever way the clock was set.
    if (Math.abs(this.#now() - this.#wroteAt) >= writeMs) this.write()
    else this.#judge()
  }

  close(): void {
    clearInterval(this.#timer)
    this.#unsubscribe()
    this.write()
  }

  /** What was spent is not given back when the clock is set back. */
  #readCost(): void {
    this.#cost = Math.max(this.#cost, this.#options.cost())
  }

  get #prefix(): string {
    return prefixOf(this.#settings.budget?.period ?? 'month', this.#now())
  }

  /** Dollars of all runs in the period. */
  get #spent(): number {
    return this.#known + this.#cost - this.#written
  }

  /** `isWritten`: what was spent is told, if it has changed; else only where that makes a difference. */
  #judge(isWritten = false): void {
    const { budget, action } = this.#settings
    const before = this.#state
    this.#state = !budget
      ? 'open'
      : this.#spent >= budget.dollars
        ? 'spent'
        : this.#spent >= budget.dollars * lowShare
          ? 'low'
          : 'open'
    if (budget) {
      const about = {
        budget: budget.dollars,
        spent: this.#spent,
        period: budget.period,
        action,
        resetsAt: endOf(budget.period, this.#now()),
      }
      const { events } = this.#options
      const told = JSON.stringify([about, this.#state])
      if (told !== this.#told && (isWritten || before !== this.#state)) {
        this.#told = told
        events.emit({ type: 'budget.sampled', ...about, state: this.#state })
      }
      if (before !== this.#state) {
        if (this.#state === 'low' && before === 'open') events.emit({ type: 'budget.low', ...about })
        if (this.#state === 'spent') events.emit({ type: 'budget.spent', ...about })
        if (before === 'spent') events.emit({ type: 'budget.renewed', ...about })
      }
    }
    if (before !== this.#state) for (const listener of this.#listeners) listener()
  }
}
