import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cpuPerByte } from './cpu-per-byte.ts'
import { root } from './processes.ts'
import type { Report } from './report.ts'
import { head, number, row, short } from './tables/markdown.ts'
import type { Trial } from './trial.ts'

// Results that are kept in the repository, one file a day, so that a step backwards shows.

/** Where they are, with the charts of the newest. */
export const kept = join(root, 'docs/bench')

/** A run's figures by name; the unit stands in brackets behind it and says which way is better. */
interface Result extends Pick<Report, 'date' | 'commit' | 'machine' | 'size'> {
  figures: Record<string, number>
}

export function keep(report: Report): void {
  mkdirSync(kept, { recursive: true })
  writeFileSync(join(kept, `${report.date}.json`), `${JSON.stringify(resultOf(report), null, 2)}\n`)
}

/** How each figure has moved since the newest result that was kept, the worst first, in Markdown. */
export function movements(report: Report): string {
  const before = newest()
  if (!before) return 'No earlier result has been kept.'
  const moved = Object.entries(resultOf(report).figures)
    .flatMap(([name, now]) => {
      const then = before.figures[name]
      return then ? [{ name, then, now, gain: gainOf(name, now / then) }] : []
    })
    .sort((a, b) => a.gain - b.gain)
  const telling = moved.filter(({ gain }) => Math.abs(Math.log(gain)) > Math.log(tellingFactor))
  const sizes =
    before.size === report.size ? '' : ` (THAT WAS A ${before.size} RUN, this is a ${report.size} one)`
  return [
    `Since ${before.date}, commit ${before.commit}${sizes}: ${telling.filter(({ gain }) => gain < 1).length} figures worse and ${telling.filter(({ gain }) => gain > 1).length} better by more than ${number((tellingFactor - 1) * 100)} %, ${moved.length - telling.length} as before.`,
    '',
    ...(telling.length > 0 ? head('', 'then', 'now', 'ratio') : []),
    ...telling.map(({ name, then, now }) => row([name, short(then), short(now), number(now / then, 2)])),
  ].join('\n')
}

// --- internal ---

/** Less than this is what else the machine did. */
const tellingFactor = 1.15

const higherIsBetter = ['Mbit/s', 'a second']
const gainOf = (name: string, ratio: number) =>
  higherIsBetter.some(unit => name.endsWith(`[${unit}]`)) ? ratio : 1 / ratio

function newest(): Result | undefined {
  try {
    const last = readdirSync(kept)
      .filter(name => name.endsWith('.json'))
      .sort()
      .at(-1)
    return last === undefined ? undefined : (JSON.parse(readFileSync(join(kept, last), 'utf8')) as Result)
  } catch {
    return undefined
  }
}

function resultOf({ date, commit, machine, size, trials, setUp, startUp }: Report): Result {
  const figures = trials.flatMap(trial =>
    figuresOf(trial).map(([figure, value]): [string, number | undefined] => [
      [trial.place, trial.subject, trial.workload, figure].filter(Boolean).join(' · '),
      value,
    ]),
  )
  const all = [
    ...figures,
    ['set-up, from the offer [ms]', setUp?.fromOffer] as const,
    ['start of the executable [ms]', startUp?.programMs] as const,
    ['start of the function [ms]', startUp?.functionMs] as const,
  ]
  const known = all.flatMap(([name, value]): [string, number][] =>
    value ? [[name, Number(value.toPrecision(4))]] : [],
  )
  return { date, commit, machine, size, figures: Object.fromEntries(known) }
}

/** Those that say something of this workload. */
function figuresOf(trial: Trial): [string, number | undefined][] {
  const { workload, bytes } = trial
  if (workload === 'connect')
    return [
      ['p99 to connect [ms]', trial.connectP99],
      ['exit [MB]', trial.peakMb.exit],
      ['client [MB]', trial.peakMb.client],
    ]
  if (workload === 'single') return [['p50 to the first byte [ms]', trial.firstByteP50]]
  if (workload === 'short') return [['rate [a second]', trial.rate]]
  const perGb = (process: 'exit' | 'client') => (cpuPerByte(trial, process) ?? 0) * 1e9
  return [
    ['throughput [Mbit/s]', bytes > 0 ? trial.mbits : undefined],
    ['exit [CPU s/GB]', perGb('exit')],
    ['client [CPU s/GB]', perGb('client')],
    ['exit [MB]', trial.peakMb.exit],
    ['client [MB]', trial.peakMb.client],
  ]
}
