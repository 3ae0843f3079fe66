import { consola } from 'consola'
import { CodedError } from '../../tunnel/net/coded-error.ts'
import { parseBudget } from '../client/budget/parse-budget.ts'
import { LedgerError } from '../client/ledger/ledger.ts'
import { dayOf, prefixOf } from '../client/ledger/period.ts'
import { costOf, type Usage } from '../client/stats/cost.ts'
import type { Config } from '../config/load.ts'
import { withAdvice } from '../output/advice.ts'
import { withLedger } from './with-ledger.ts'

/** Throws E_BUDGET_SPENT where the budget has nothing left for a command's own exit. */
export function checkBudget({ values }: Config): void {
  const text = values['fleet.budget']
  if (text === undefined || values['fleet.budget_action'] === 'warn') return
  const { dollars, period } = parseBudget(text)
  const spent = withLedger(ledger => ledger.spend(prefixOf(period, Date.now())))
  if (spent >= dollars)
    throw new CodedError('E_BUDGET_SPENT', `the budget of $${dollars} a ${period} is used up`)
}

/** Adds the cost of a command's own exit to the ledger. */
export function addToLedger(region: string, usage: Usage): void {
  try {
    withLedger(ledger => ledger.addSpend(dayOf(Date.now()), costOf(new Map([[region, usage]])).total))
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error
    consola.warn(withAdvice(error.toJSON()))
  }
}
