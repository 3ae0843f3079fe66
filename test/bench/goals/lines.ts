import { short } from '../tables/markdown.ts'
import type { Verdict } from './goal.ts'

/** A line for each goal, and one that adds up. */
export function verdictLines(verdicts: readonly Verdict[]): string[] {
  const count = (outcome: Verdict['outcome']) => verdicts.filter(each => each.outcome === outcome).length
  return [
    'Goals:',
    ...verdicts.map(line),
    `${count('met')} of ${verdicts.length} goals met, ${count('missed')} missed, ${count('not measured')} not measured.`,
  ]
}

// --- internal ---

const labels = { met: 'met    ', missed: 'MISSED ', 'not measured': 'NOT MEASURED' } as const

function line({ row, what, outcome, value, missedBy, failures, ...rest }: Verdict): string {
  const start = `${labels[outcome]} ${row}: ${what}`
  if (value === undefined) return start
  const [ours, ...others] = rest.figures
  const unit = rest.unit && ` ${rest.unit}`
  const is = others.length === 0 ? `${short(ours)}${unit}` : `${short(value)} ×`
  const against =
    others.length === 0
      ? ''
      : ` (${short(ours)} against ${others.map(other => short(other)).join(', ')}${unit})`
  const by = missedBy === undefined ? '' : `, by ${short(missedBy * 100)} %`
  const failed = failures > 0 ? `, ${failures} CONNECTIONS FAILED` : ''
  return `${start}: ${is}, goal ${bound(rest)}${by}${against}${failed}`
}

function bound({ atLeast, atMost }: Pick<Verdict, 'atLeast' | 'atMost'>): string {
  if (atLeast !== undefined && atMost !== undefined) return `${atLeast} to ${atMost}`
  return atLeast === undefined ? `at most ${atMost}` : `at least ${atLeast}`
}
