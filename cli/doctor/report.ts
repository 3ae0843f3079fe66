import { type ColorName, colors } from 'consola/utils'
import type { Result, Status } from './check.ts'

const colour: Record<Status, ColorName> = { ok: 'green', warn: 'yellow', fail: 'red', skip: 'gray' }
/** Longer lines read badly. */
const widest = 110

/** A result for a person: what was found, and what to do about it; `nameWidth` is that of the longest name. */
export function formatResult(
  { name, status, message, hint }: Result,
  nameWidth: number,
  terminalWidth = widest,
): string {
  const indent = 6 + nameWidth + 2
  const width = Math.max(Math.min(terminalWidth, widest) - indent, 20)
  const [first, ...others] = [...wrap(message, width), ...(hint ? toDo(hint, width) : [])]
  return [
    `${colors[colour[status]](status.padEnd(6))}${name.padEnd(nameWidth)}  ${first}`,
    ...others.map(line => ' '.repeat(indent) + line),
  ].join('\n')
}

/** The last lines: the verdict, and the one thing to change. */
export function formatVerdict(results: readonly Result[], terminalWidth = widest): string {
  const change = oneChange(results)
  if (change === undefined) return verdict(results)
  return [verdict(results), ...toDo(change, Math.max(Math.min(terminalWidth, widest), 22))].join('\n')
}

/** What to do first: the hint of the first failure, which may cause others, or else of what matters to exits. */
export function oneChange(results: readonly Result[]): string | undefined {
  const failed = results.find(({ status }) => status === 'fail')
  const warned = results.filter(({ status }) => status === 'warn')
  const telling = ['exits', 'udp'].map(name => warned.find(result => result.name === name))
  return (failed ?? telling.find(result => result !== undefined) ?? warned[0])?.hint
}

/** The verdict in a line. */
export function verdict(results: readonly Result[]): string {
  const count = (status: Status) => results.filter(result => result.status === status).length
  const failed = results.filter(({ status }) => status === 'fail').map(({ name }) => name)
  if (failed.length > 0) return colors.red(`This does not work here yet: see ${failed.join(', ')}.`)
  const warned = count('warn')
  const tried = results.some(({ name, status }) => name === 'punch' && status === 'ok')
  const works = tried ? 'This works here' : 'No problem found, but no exit was launched to try it'
  return colors.green(
    `${works}${warned > 0 ? `, with ${warned} ${warned === 1 ? 'warning' : 'warnings'}` : ''}.`,
  )
}

// --- internal ---

/** What to do, behind an arrow. */
const toDo = (hint: string, width: number): string[] =>
  wrap(hint, width - 2).map((line, i) => (i === 0 ? `→ ${line}` : `  ${line}`))

const wrap = (text: string, width: number): string[] => Bun.wrapAnsi(text, width).split('\n')
