import { cpuPerByte } from '../cpu-per-byte.ts'
import { finder, type Report } from '../report.ts'
import type { Series } from '../series.ts'
import { head, number, row, short } from './markdown.ts'

/** The whole chain by the QUIC engine of each end. */
export function enginesTable(report: Report, { subjects }: Series): string[] {
  const find = finder(report)
  const rows = subjects.flatMap(({ name, title }) => {
    const [down, up, connect, requests] = ['down', 'up', 'connect', 'short'].map(workload =>
      find(name, workload),
    )
    if (!down && !up && !connect && !requests) return []
    return [
      row([
        title,
        ...[down, up].flatMap(trial => [
          short(trial?.mbits),
          short((cpuPerByte(trial) ?? Number.NaN) * 1e9),
          number(trial?.peakMb.exit),
        ]),
        number(connect?.connectP99),
        number(requests?.rate),
      ]),
    ]
  })
  if (rows.length === 0) return []
  return [
    '',
    'The whole chain by engine, on the loopback address. Mbit/s of payload, CPU seconds of the function per 10⁹ bytes, its peak memory in MB.',
    '',
    ...head(
      '',
      ...['down', 'up'].flatMap(way => [`one stream ${way}`, 'CPU', 'MB']),
      'connections at once, p99 ms',
      'short requests a second',
    ),
    ...rows,
  ]
}
