import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { charts } from './charts/charts.ts'
import { keep, kept, movements } from './history.ts'
import { root, stopAll } from './processes.ts'
import { newReport } from './report.ts'
import { type Leave, runSeries } from './run.ts'
import { allSeries, type Series } from './series.ts'
import { measureSetUp } from './set-up.ts'
import { measureStartUp } from './start-up.ts'
import { table } from './tables/table.ts'
import { sizes } from './workloads.ts'

// Measures this proxy beside what it is built on and what else one would use, all in one run: on the loopback
// address, over delay and loss, and with the function held to a share of a core. --quick shows only that
// everything works; --full has more short requests; --keep puts the result into the repository. Other
// arguments choose series, subjects and workloads by name.

const arguments_ = process.argv.slice(2)
const names = arguments_.filter(argument => !argument.startsWith('--'))
const size = sizes[(['quick', 'full'] as const).find(name => arguments_.includes(`--${name}`)) ?? 'normal']

if (process.platform !== 'linux') {
  console.error('The bench reads CPU and memory from /proc: run it on Linux.')
  process.exit(1)
}
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => void stopAll().then(() => process.exit(130)))
process.on('uncaughtException', error => {
  console.error(error)
  void stopAll().then(() => process.exit(1))
})

const series = chosen(allSeries(size))
const report = newReport(size)
/** The first line goes into the report; the rest may name what is only this machine's. */
const leave: Leave = (what, error) => {
  const [first, ...rest] = (error instanceof Error ? error.message : String(error)).trim().split('\n')
  const line = `${what}: ${first}`
  if (!report.leftOut.includes(line)) report.leftOut.push(line)
  console.error(`\n*** LEFT OUT: ${[line, ...rest].join('\n    ')}\n`)
}

try {
  for (const one of series) report.trials.push(...(await runSeries(one, leave)))
  if (names.length === 0) {
    report.setUp = await measureSetUp(size.starts)
    report.startUp = await measureStartUp(size.starts)
  }
  console.log(`\n${table(report, series)}\n\n${movements(report)}`)
  write(join(root, 'dist/bench'))
  if (arguments_.includes('--keep')) {
    keep(report)
    write(kept)
  }
} finally {
  await stopAll()
}
process.exit(report.leftOut.some(line => line.startsWith('failed')) ? 1 : 0)

// --- internal ---

/** The series, subjects and workloads that an argument names; all of a kind of which none is named. */
function chosen(all: readonly Series[]): Series[] {
  const among = <T extends { name: string }>(kind: readonly T[], items: readonly T[]) =>
    kind.some(({ name }) => names.includes(name)) ? items.filter(({ name }) => names.includes(name)) : items
  const subjects = all.flatMap(one => one.subjects)
  const workloads = all.flatMap(one => one.workloads)
  return among(all, all)
    .map(one => ({
      ...one,
      subjects: among(subjects, one.subjects),
      workloads: among(workloads, one.workloads),
    }))
    .filter(one => one.subjects.length > 0 && one.workloads.length > 0)
}

function write(folder: string): void {
  mkdirSync(folder, { recursive: true })
  for (const [name, svg] of charts(report, series)) writeFileSync(join(folder, name), svg)
  if (folder !== kept) writeFileSync(join(folder, 'report.json'), `${JSON.stringify(report, null, 2)}\n`)
}
