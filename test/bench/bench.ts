import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { charts } from './charts/charts.ts'
import type { Choice } from './choice.ts'
import { judge, type Verdict } from './goals/goal.ts'
import { verdictLines } from './goals/lines.ts'
import { keep, kept, movements } from './history.ts'
import { root, stopAll } from './processes.ts'
import { newReport, type Report } from './report.ts'
import { type Leave, runSeries } from './run.ts'
import type { Series } from './series.ts'
import { measureSetUp } from './set-up.ts'
import { measureStartUp } from './start-up.ts'
import { table } from './tables/table.ts'

/** Measures what was chosen, prints it, and ends the process: with 1 when a trial failed. */
export async function bench({ size, plan, series, isAll, isKept, isJson }: Choice): Promise<never> {
  if (process.platform !== 'linux')
    throw new Error('the bench reads CPU and memory from /proc: run it on Linux')
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => void stopAll().then(() => process.exit(130)))
  process.on('uncaughtException', error => {
    console.error(error)
    void stopAll().then(() => process.exit(1))
  })

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
    if (isAll) report.setUp = await measureSetUp(size.starts)
    if (plan?.startUp || isAll) report.startUp = await measureStartUp(size.starts)
    const verdicts = plan?.goals.map(goal => judge(goal, report))
    if (isJson) console.log(JSON.stringify({ ...report, ...(verdicts && { goals: verdicts }) }, null, 2))
    else
      console.log(
        `\n${table(report, series)}\n\n${verdicts ? verdictLines(verdicts).join('\n') : movements(report)}`,
      )
    write(join(root, 'dist/bench'), report, series, verdicts)
    if (isKept) {
      keep(report)
      write(kept, report, series)
    }
  } finally {
    await stopAll()
  }
  process.exit(report.leftOut.some(line => line.startsWith('failed')) ? 1 : 0)
}

// --- internal ---

function write(
  folder: string,
  report: Report,
  series: readonly Series[],
  verdicts?: readonly Verdict[],
): void {
  mkdirSync(folder, { recursive: true })
  for (const [name, svg] of charts(report, series)) writeFileSync(join(folder, name), svg)
  if (folder === kept) return
  const figures = { ...report, ...(verdicts && { goals: verdicts }) }
  writeFileSync(join(folder, 'report.json'), `${JSON.stringify(figures, null, 2)}\n`)
}
