import { parseArgs } from 'node:util'
import { soak } from './soak.ts'
import { header, rowLine, totals } from './table.ts'

// Hours of use in one command: `bun run soak --minutes 60`. Exits with 1 when a connection failed or a byte was wrong.

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '60' } } })
const minutes = Number(values.minutes)
if (!Number.isInteger(minutes) || minutes < 1) {
  console.error(`--minutes ${values.minutes} is not a number of minutes: give 1 or more`)
  process.exit(2)
}

console.log(header())
const report = await soak(minutes, row => console.log(rowLine(row)))
for (const line of totals(report)) console.log(line)
const bad = report.rows.some(({ failed, cut, wrongBytes }) => failed + cut + wrongBytes > 0)
process.exit(bad || report.exitCode !== 0 ? 1 : 0)
