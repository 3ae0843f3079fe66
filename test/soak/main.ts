import { defineCommand } from 'citty'
import { UsageError } from '../../cli/input/usage-error.ts'
import { readWhole } from '../../cli/input/whole-number.ts'
import { describe } from '../../cli/output/help.ts'
import { runScript } from '../../cli/output/script.ts'
import { soak } from './soak.ts'
import { header, rowLine, totals } from './table.ts'

const maxMinutes = 100_000

await runScript(
  ['bun run', 'soak'],
  defineCommand({
    meta: describe({
      description:
        'Use a proxy of the embedded cloud for hours, in one command: its exits rotate, and every byte is counted.',
      exits: { failed: 'a connection failed, a byte was wrong, or the proxy did not end well' },
      examples: [['soak --minutes 5', 'A short one']],
    }),
    args: {
      minutes: { type: 'string', valueHint: 'n', default: '60', description: 'How long' },
    },
    async run({ args }) {
      const minutes = readWhole(args.minutes, 1, maxMinutes)
      if (minutes === undefined)
        throw new UsageError(`--minutes ${args.minutes} is not a number of minutes: give 1 or more`)
      console.log(header())
      const report = await soak(minutes, row => console.log(rowLine(row)))
      for (const line of totals(report)) console.log(line)
      const bad = report.rows.some(({ failed, cut, wrongBytes }) => failed + cut + wrongBytes > 0)
      process.exit(bad || report.exitCode !== 0 ? 1 : 0)
    },
  }),
)
