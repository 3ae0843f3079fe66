import { defineCommand } from 'citty'
import { printable } from '../../tunnel/net/printable.ts'
import { formatBytes, formatDuration, formatLocalCost } from '../client/stats/format.ts'
import { findProxy } from '../control/ask.ts'
import type { ExitReport } from '../control/exit-report.ts'
import { describe } from '../output/help.ts'
import { formatOf, formatOptions, print, table } from '../output/print.ts'
import { proxyOption, proxyPort } from './proxy-option.ts'

export default defineCommand({
  meta: describe({
    name: 'exits',
    description: 'List the exits of the running proxy, with their load and cost so far.',
    exits: { failed: 'no proxy runs, or it does not answer' },
    examples: [['exits --json', 'The same for a program']],
  }),
  args: { ...proxyOption, ...formatOptions },
  async run({ args }) {
    const format = formatOf(args)
    const proxy = await findProxy(proxyPort(args.proxy))
    print(await proxy.ask('exits', {}), format, human)
  },
})

// --- internal ---

/** What a narrow terminal has no room for, the first of them first. */
const dispensable = ['PATH', 'AGE', 'UP', 'DOWN', 'LEFT', 'CONNECTIONS']

function human(exits: ExitReport[]): string {
  if (exits.length === 0) return 'No exit is up, and none is being launched.'
  const rows = [
    ['ID', 'REGION', 'ADDRESS', 'PHASE', 'PATH', 'AGE', 'LEFT', 'CONNECTIONS', 'DOWN', 'UP', 'COST'],
    ...exits.map(exit => [
      exit.id,
      exit.region,
      // The exit says it.
      printable(exit.address ?? '-'),
      exit.silent ? `${exit.phase}, silent` : exit.phase,
      exit.candidate ?? '-',
      formatDuration(exit.ageMs),
      exit.remainingMs === undefined ? '-' : formatDuration(exit.remainingMs),
      String(exit.connections),
      formatBytes(exit.bytesDown),
      formatBytes(exit.bytesUp),
      exit.local ? '$0' : `$${exit.cost.toFixed(5)}`,
    ]),
  ]
  const listed = table(rows, dispensable)
  const local = exits.filter(exit => exit.local)
  if (local.length === 0) return listed
  return `${listed}\n\nCost: ${formatLocalCost(local.reduce((sum, { cost }) => sum + cost, 0))}.`
}
