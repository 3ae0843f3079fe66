import { type Period, periods } from '../ledger/period.ts'

/** Dollars that may be spent in a day or month of UTC. */
export interface Budget {
  dollars: number
  period: Period
}

/** Reads `5/month` or `0.50/day`, with or without a dollar sign. Throws an Error that says what is allowed. */
export function parseBudget(text: string): Budget {
  const [, number, per] = /^\$?(\d+(?:\.\d+)?)\/([a-z]+)$/.exec(text.replaceAll(' ', '')) ?? []
  const period = periods.find(each => each === per)
  const dollars = Number(number)
  if (period && dollars > 0 && dollars <= 1e6) return { dollars, period }
  throw new Error('give US dollars and a period, as in 5/month or 0.50/day')
}
