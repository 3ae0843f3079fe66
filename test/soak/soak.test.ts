import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Row, soak } from './soak.ts'
import { header, rowLine, totals } from './table.ts'

const test = suite('Two minutes under load, rotating every 20 s over two regions')

test('no new connection fails, no byte is wrong, and memory and open files stay as they were', async () => {
  const report = await soak(2)
  const { rows } = report
  for (const line of [header(), ...rows.map(rowLine), ...totals(report)]) console.log(line)
  for (const { failed, cut, wrongBytes } of rows)
    assert.equal({ failed, cut, wrongBytes }, { failed: 0, cut: 0, wrongBytes: 0 }, report.reasons.join('\n'))
  assert.ok(rows[0]!.requests + rows[1]!.requests > 1_000)
  assert.ok(report.exits >= 3, `${report.exits} exits`)
  assert.is(Object.keys(report.regions).length, 2)
  assert.is(report.exitCode, 0)
  const [first, last] = [rows[0]!, rows[1]!]
  // More exits drain at once in the second minute than in the first: each has its pipes and its socket at the client.
  const more = Math.max(0, last.functions.processes - first.functions.processes)
  // A leak of one file a connection would be thousands.
  const files = JSON.stringify(report.files)
  assert.ok(last.client.files <= first.client.files + 5 * more + 5, `${last.client.files} files, ${files}`)
  const each = ({ functions: { processes, files, memory } }: Row) => ({
    files: files / processes,
    memory: memory / processes,
  })
  assert.ok(each(last).files <= each(first).files + 5, `${each(last).files} files in each function`)
  // The first minute warms up; what leaks with each of thousands of connections would show beyond this.
  assert.ok(last.client.memory <= first.client.memory * 1.5 + 50, `client: ${last.client.memory} MB`)
  assert.ok(each(last).memory <= each(first).memory * 1.5 + 50, `functions: ${each(last).memory} MB each`)
})

test.run()
