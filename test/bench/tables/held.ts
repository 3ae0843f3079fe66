import { cpuPerByte } from '../cpu-per-byte.ts'
import { finder, type Report } from '../report.ts'
import type { Series } from '../series.ts'
import { head, number, row, short } from './markdown.ts'

/** What the function gives when it has no more CPU than on Lambda. */
export function heldTable(report: Report, { subjects }: Series): string[] {
  const find = finder(report)
  const rows = subjects.flatMap(({ name, title }) => {
    const [down, up, requests] = ['down', 'up', 'short'].map(workload => find(name, workload))
    if (!down && !up && !requests) return []
    return row([
      title,
      short(down?.mbits),
      short((cpuPerByte(down) ?? Number.NaN) * 1e9),
      short(up?.mbits),
      short((cpuPerByte(up) ?? Number.NaN) * 1e9),
      number(requests?.rate),
      `${short(requests?.firstByteP50)} / ${short(requests?.firstByteP99)}`,
    ])
  })
  if (rows.length === 0) return []
  return [
    '',
    'The whole chain with the function held to what Lambda gives it. Mbit/s of payload, CPU seconds of the function per 10⁹ bytes.',
    '',
    ...head(
      'function',
      'one stream down',
      'CPU',
      'one stream up',
      'CPU',
      'short requests a second, 32 at a time',
      'first byte p50 / p99 ms',
    ),
    ...rows,
  ]
}
