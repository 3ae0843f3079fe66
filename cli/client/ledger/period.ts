/** What is counted is counted anew each day, or each month, of UTC, as AWS bills. */
export const periods = ['day', 'month'] as const
export type Period = (typeof periods)[number]

/** The day of UTC, as 2026-01-31. */
export const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10)

/** What the days of the period have in common that this moment is in: 2026-01-31, or 2026-01. */
export const prefixOf = (period: Period, at: number): string => dayOf(at).slice(0, period === 'day' ? 10 : 7)

/** When the period ends. Milliseconds since 1970. */
export function endOf(period: Period, at: number): number {
  const now = new Date(at)
  return period === 'day'
    ? Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + 1)
    : Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1)
}
