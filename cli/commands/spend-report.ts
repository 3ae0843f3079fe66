import { type Budget, parseBudget } from '../client/budget/parse-budget.ts'
import { LedgerError } from '../client/ledger/ledger.ts'
import { prefixOf } from '../client/ledger/period.ts'
import { formatDollars } from '../client/stats/format.ts'
import type { Config } from '../config/load.ts'
import { readingLedger } from './with-ledger.ts'

/** Dollars that all runs on this machine have spent, by list prices, in this day and month of UTC. */
export interface SpendReport {
  today: number
  month: number
  budget?: Budget
}

/** Undefined where it cannot be known. */
export function spendReport({ values }: Config): SpendReport | undefined {
  const text = values['fleet.budget']
  const budget = text !== undefined && { budget: parseBudget(text) }
  try {
    const now = Date.now()
    return readingLedger(ledger => ({
      today: ledger.spend(prefixOf('day', now)),
      month: ledger.spend(prefixOf('month', now)),
      ...budget,
    }))
  } catch (error) {
    if (error instanceof LedgerError) return undefined
    throw error
  }
}

/** The report in a line for a person. */
export function spendLine({ today, month, budget }: SpendReport): string {
  const spent = `Spent from this machine, about: ${formatDollars(today)} today, ${formatDollars(month)} this month (UTC)`
  if (!budget) return spent
  const share = ((budget.period === 'day' ? today : month) / budget.dollars) * 100
  return `${spent}; ${share.toFixed(0)} % of the budget of ${formatDollars(budget.dollars)} a ${budget.period}`
}
