import type { SetUp } from './set-up.ts'
import type { StartUp } from './start-up.ts'
import type { Subject } from './subjects/subject.ts'
import type { Process, Trial } from './trial.ts'
import type { Workload } from './workloads.ts'

export interface Report {
  date: string
  commit: string
  machine: string
  repetitions: number
  trials: Trial[]
  setUp: SetUp
  startUp: StartUp
  /** What could not be measured, and why. */
  leftOut: string[]
}

/** The report in Markdown. */
export function table(report: Report, subjects: readonly Subject[], workloads: readonly Workload[]): string {
  const find = (subject: string, workload: string) =>
    report.trials.find(trial => trial.subject === subject && trial.workload === workload)
  const titleOf = (name: string) => workloads.find(workload => workload.name === name)?.title ?? name
  const measured = subjects.filter(({ name }) => report.trials.some(({ subject }) => subject === name))
  const rows = (columns: (name: string) => string[], which = measured) =>
    which.map(({ name, title }) => row([title, ...columns(name)]))

  const oneStream = rows(name =>
    ['down', 'up'].flatMap(workload => {
      const trial = find(name, workload)
      return [
        number(trial?.mbits),
        perGb(trial, 'exit'),
        perGb(trial, 'client'),
        megabytes(trial, 'exit'),
        megabytes(trial, 'client'),
      ]
    }),
  )
  const many = rows(
    name => {
      const [ten, hundred, connect] = ['down10', 'down100', 'connect'].map(workload => find(name, workload))
      const [short, single] = ['short', 'single'].map(workload => find(name, workload))
      return [
        number(ten?.mbits),
        number(hundred?.mbits),
        number(hundred?.fairness, 2),
        `${number(connect?.connectP50)} / ${number(connect?.connectP99)}`,
        `${number(short?.rate)}`,
        `${number(short?.firstByteP50, 1)} / ${number(short?.firstByteP99, 1)}`,
        `${number(single?.firstByteP50, 2)} / ${number(single?.firstByteP99, 2)}`,
      ]
    },
    measured.filter(({ oneStream }) => !oneStream),
  )
  const memory = rows(
    name =>
      ['slow', 'connect'].flatMap(workload => {
        const trial = find(name, workload)
        return [megabytes(trial, 'exit'), megabytes(trial, 'client'), String(trial?.failures ?? none)]
      }),
    measured.filter(({ oneStream, name }) => !oneStream && name !== 'direct'),
  )
  const { setUp, startUp } = report
  return [
    `${report.date}, ${report.machine}, commit ${report.commit}, best of ${report.repetitions}`,
    '',
    'One stream. Mbit/s of payload, CPU seconds per 10⁹ bytes, peak memory in MB; the exit is the end at the target, the client the end at the application.',
    '',
    ...head(
      '',
      'down',
      'exit CPU',
      'client CPU',
      'exit MB',
      'client MB',
      'up',
      'exit CPU',
      'client CPU',
      'exit MB',
      'client MB',
    ),
    ...oneStream,
    '',
    'Many streams. Fairness is the slowest stream’s share of the mean when the first was done.',
    '',
    ...head(
      '',
      '10 streams, Mbit/s',
      '100 streams, Mbit/s',
      'fairness',
      `${titleOf('connect')}, p50 / p99 ms`,
      `${titleOf('short')}, a second`,
      'first byte p50 / p99 ms',
      'one by one, p50 / p99 ms',
    ),
    ...many,
    '',
    'Peak memory in MB.',
    '',
    ...head(
      '',
      `${titleOf('slow')}: exit`,
      'client',
      'failed',
      `${titleOf('connect')}: exit`,
      'client',
      'failed',
    ),
    ...memory,
    '',
    ...head('ratio', 'down', 'up'),
    ...ratios(find),
    '',
    `CPU per byte at the function with 100 streams: ${number(quotient(cpuPerByte(find('chain', 'down100')), cpuPerByte(find('chain', 'down'))), 2)} × that with one; short requests: ${number(quotient(find('chain', 'short')?.rate, find('socks', 'short')?.rate), 2)} × plain SOCKS5’s rate; ${number((find('chain', 'single')?.firstByteP50 ?? 0) - (find('direct', 'single')?.firstByteP50 ?? 0), 2)} ms added to a small request.`,
    '',
    `Session set-up, function loaded: ${setUp.steps.map(({ step, ms }) => `${step} ${number(ms)} ms`).join(', ')}; from the offer’s write to the first byte ${number(setUp.fromOffer)} ms.`,
    '',
    `Start-up: ${startUp.program} ${number(startUp.programMs)} ms${startUp.programMb > 0 ? ` (${number(startUp.programMb)} MB)` : ''}; function on Node 24 ${number(startUp.functionMs)} ms, of which its bundle ${number(startUp.functionLoadMs)} ms (${number(startUp.functionMb, 1)} MB zipped).`,
    ...report.leftOut.map(line => `\nLEFT OUT: ${line}`),
  ].join('\n')
}

// --- internal ---

const none = '–'
type Find = (subject: string, workload: string) => Trial | undefined

const row = (cells: string[]) => `| ${cells.join(' | ')} |`
const head = (...cells: string[]) => [row(cells), row(cells.map((_, i) => (i === 0 ? '---' : '--:')))]

const number = (value: number | undefined, digits = 0) =>
  value === undefined || !Number.isFinite(value)
    ? none
    : value.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: digits })

const cpuPerByte = (trial: Trial | undefined, process: Process = 'exit') =>
  trial && trial.bytes > 0 && trial.cpu[process] > 0 ? trial.cpu[process] / trial.bytes : undefined

const perGb = (trial: Trial | undefined, process: Process) => {
  const cpu = cpuPerByte(trial, process)
  return number(cpu === undefined ? undefined : cpu * 1e9, 1)
}

const megabytes = (trial: Trial | undefined, part: 'exit' | 'client') =>
  number(trial && trial.peakMb[part] > 0 ? trial.peakMb[part] : undefined)

const quotient = (a: number | undefined, b: number | undefined) =>
  a === undefined || b === undefined ? undefined : a / b

const ratios = (find: Find) => [
  ...['bare', 'tunnel', 'gost', 'ssh', 'socks'].map(other =>
    row([
      `chain’s throughput to ${other}`,
      ...['down', 'up'].map(way => number(quotient(find('chain', way)?.mbits, find(other, way)?.mbits), 2)),
    ]),
  ),
  ...['bare', 'gost', 'ssh'].map(other =>
    row([
      `the function’s CPU per byte to ${other}`,
      ...['down', 'up'].map(way =>
        number(quotient(cpuPerByte(find('chain', way)), cpuPerByte(find(other, way))), 2),
      ),
    ]),
  ),
]
