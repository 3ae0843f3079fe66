const none = '–'

export const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`

/** Column titles and the line below; all columns but the first are numbers. */
export const head = (...cells: string[]): string[] => [
  row(cells),
  row(cells.map((_, i) => (i === 0 ? '---' : '--:'))),
]

export const number = (value: number | undefined, digits = 0): string =>
  value === undefined || !Number.isFinite(value)
    ? none
    : value.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: digits })

/** Three figures that count, whatever the size. */
export const short = (value: number | undefined): string =>
  number(value, value === undefined || value >= 100 ? 0 : value >= 10 ? 1 : 2)
