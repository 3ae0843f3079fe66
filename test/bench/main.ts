import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { charts } from './charts/charts.ts'
import { chosen, chosenGoals, read, sizeOf } from './choice.ts'
import { judge, type Verdict } from './goals/goal.ts'
import { verdictLines } from './goals/lines.ts'
import { planFor } from './goals/plan.ts'
import { keep, kept, movements } from './history.ts'
import { root, stopAll } from './processes.ts'
import { newReport } from './report.ts'
import { type Leave, runSeries } from './run.ts'
import { allSeries } from './series.ts'
import { measureSetUp } from './set-up.ts'
import { measureStartUp } from './start-up.ts'
import { table } from './tables/table.ts'

// Measures this proxy beside what it is built on and what else one would use, all in one run: on the loopback
// address, over delay and loss, through a bottleneck, and with the function held to a share of a core. --quick shows
// only that everything works; --full has more short requests; --runs=N has each trial N times, of which the median
// counts; --keep puts the result into the repository; --json prints the figures as JSON. Other arguments choose
// series, subjects and workloads by name. `goals` measures what the goals need, or those of the rows that are named,
// and says which are met.

const { values, positionals } = read()
const size = sizeOf(values)
const plan = positionals[0] === 'goals' ? planFor(chosenGoals(positionals.slice(1)), size) : undefined

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

const series = plan?.series ?? chosen(allSeries(size), positionals, values.runs)
const report = newReport(size)
/** The first line goes into the report; the rest may name what is only this machine's. */
const leave: Leave = (what, error) => {
  const [first, ...rest] = (error instanceof Error ? error.message : String(error)).trim().split('\n')
  const line = `${what}: ${first}`
  if (!report.leftOut.includes(line)) report.leftOut.push(line)
  console.error(`\n*** LEFT OUT: ${[line, ...rest].join('\n    ')}\n`)
}

try {
  if (plan) console.error(`${plan.goals.length} goals, about ${plan.minutes} min on a machine at rest`)
  for (const one of series) report.trials.push(...(await runSeries(one, leave)))
  if (!plan && positionals.length === 0) report.setUp = await measureSetUp(size.starts)
  if (plan ? plan.startUp : positionals.length === 0) report.startUp = await measureStartUp(size.starts)
  const verdicts = plan?.goals.map(goal => judge(goal, report))
  if (values.json) console.log(JSON.stringify({ ...report, ...(verdicts && { goals: verdicts }) }, null, 2))
  else
    console.log(
      `\n${table(report, series)}\n\n${verdicts ? verdictLines(verdicts).join('\n') : movements(report)}`,
    )
  write(join(root, 'dist/bench'), verdicts)
  if (values.keep) {
    keep(report)
    write(kept)
  }
} finally {
  await stopAll()
}
process.exit(report.leftOut.some(line => line.startsWith('failed')) ? 1 : 0)

// --- internal ---

function write(folder: string, verdicts?: readonly Verdict[]): void {
  mkdirSync(folder, { recursive: true })
  for (const [name, svg] of charts(report, series)) writeFileSync(join(folder, name), svg)
  if (folder === kept) return
  const figures = { ...report, ...(verdicts && { goals: verdicts }) }
  writeFileSync(join(folder, 'report.json'), `${JSON.stringify(figures, null, 2)}\n`)
}
