import type { Report } from '../report.ts'
import type { Series } from '../series.ts'
import { enginesTable } from './engines.ts'
import { farTables } from './far.ts'
import { heldTable } from './held.ts'
import { besideTable, bottleneckTable } from './narrow.ts'
import { nearTables } from './near.ts'
import { startTables } from './start.ts'

const makers = {
  near: nearTables,
  far: farTables,
  held: heldTable,
  bottleneck: bottleneckTable,
  beside: besideTable,
  engines: enginesTable,
}

/** The report in Markdown. */
export const table = (report: Report, series: readonly Series[]): string =>
  [
    `${report.date}, ${report.machine}, commit ${report.commit}, a ${report.size} run`,
    ...series.flatMap(one => makers[one.name](report, one)),
    ...startTables(report),
    ...report.leftOut.map(line => `\nLEFT OUT: ${line}`),
  ].join('\n')
