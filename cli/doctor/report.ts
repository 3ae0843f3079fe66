import { type ColorName, colors } from 'consola/utils'
import type { Result, Status } from './check.ts'

const colour: Record<Status, ColorName> = { ok: 'green', warn: 'yellow', fail: 'red', skip: 'gray' }
const widest = 110

/** A result for a person: what was found, and what to do about it; `nameWidth` is that of the longest name. */
export function formatResult({ name, status, detail, next }: Result, nameWidth: number): string {
  const indent = 6 + nameWidth + 2
  const lines = [
    ...wrap(detail, widest - indent),
    ...(next ? wrap(next, widest - indent - 2).map((line, i) => (i === 0 ? `→ ${line}` : `  ${line}`)) : []),
  ]
  const [first, ...others] = lines
  return [
    `${colors[colour[status]](status.padEnd(6))}${name.padEnd(nameWidth)}  ${first}`,
    ...others.map(line => ' '.repeat(indent) + line),
  ].join('\n')
}

/** The last line: what it all comes to. */
export function verdict(results: readonly Result[]): string {
  const count = (status: Status) => results.filter(result => result.status === status).length
  const failed = results.filter(({ status }) => status === 'fail').map(({ name }) => name)
  if (failed.length > 0) return colors.red(`This does not work here yet: see ${failed.join(', ')}.`)
  const warned = count('warn')
  const tried = results.some(({ name, status }) => name === 'punch' && status === 'ok')
  const works = tried ? 'This works here' : 'Nothing is in the way that could be seen'
  return colors.green(
    `${works}${warned > 0 ? `, with ${warned} ${warned === 1 ? 'warning' : 'warnings'}` : ''}.`,
  )
}

// --- internal ---

function wrap(text: string, width: number): string[] {
  const lines = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!
    if (line !== '' && line.length + 1 + word.length > width) lines.push(word)
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`
  }
  return lines
}
