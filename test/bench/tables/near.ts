import { cpuPerByte } from '../cpu-per-byte.ts'
import { type Find, finder, type Report } from '../report.ts'
import type { Series } from '../series.ts'
import type { Subject } from '../subjects/subject.ts'
import type { Process, Trial } from '../trial.ts'
import { head, number, row } from './markdown.ts'

/** What there is of the loopback address. */
export function nearTables(report: Report, { subjects, workloads }: Series): string[] {
  const find = finder(report)
  const titleOf = (name: string) => workloads.find(workload => workload.name === name)?.title ?? name
  const measured = (names: string[], which = subjects) =>
    which.filter(({ name }) => names.some(workload => find(name, workload)))
  const proxies = subjects.filter(({ oneStream }) => !oneStream)
  return [
    ...section(
      'One stream. Mbit/s of payload, CPU seconds per 10⁹ bytes, peak memory in MB; the exit is the end at the target, the client the end at the application.',
      ['', ...['down', 'up'].flatMap(way => [way, 'exit CPU', 'client CPU', 'exit MB', 'client MB'])],
      measured(['down', 'up']),
      name => ['down', 'up'].flatMap(workload => oneStream(find(name, workload))),
    ),
    ...section(
      'One stream each way at once, Mbit/s, and packets that an end sends at a time with one stream (a system call on the client’s side, where the subject counts it).',
      ['', 'down', 'up', 'exit, down', 'client, down', 'exit, up', 'client, up'],
      measured(['both', 'down', 'up']),
      name => [
        ...[0, 1].map(way => number(find(name, 'both')?.mbitsEach[way])),
        ...['down', 'up'].flatMap(workload => {
          const { exit, client } = find(name, workload)?.packetsPerBatch ?? {}
          return [number(exit, 1), number(client, 1)]
        }),
      ],
    ),
    ...section(
      'Many streams. Fairness is the slowest stream’s share of the mean when the first was done.',
      [
        '',
        '10 streams, Mbit/s',
        '100 streams, Mbit/s',
        'fairness',
        `${titleOf('connect')}, p50 / p99 ms`,
        `${titleOf('short')}, a second`,
        'first byte p50 / p99 ms',
        'one by one, p50 / p99 ms',
      ],
      measured(['down10', 'down100', 'connect', 'short', 'single'], proxies),
      name => manyStreams(name, find),
    ),
    ...section(
      `A mix: ${titleOf('mix')}.`,
      ['', 'long streams, Mbit/s', 'short requests: first byte p50 / p99 ms', 'failed'],
      measured(['mix'], proxies),
      name => {
        const mix = find(name, 'mix')
        return [
          number(mix?.mbitsEach[0]),
          `${number(mix?.firstByteP50, 1)} / ${number(mix?.firstByteP99, 1)}`,
          number(mix?.failures),
        ]
      },
    ),
    ...section(
      'Peak memory in MB.',
      ['', ...memoryLoads.flatMap(name => [`${titleOf(name)}: exit`, 'client', 'failed'])],
      measured([...memoryLoads], proxies).filter(({ name }) => name !== 'direct'),
      name =>
        memoryLoads.flatMap(workload => {
          const trial = find(name, workload)
          return [megabytes(trial, 'exit'), megabytes(trial, 'client'), number(trial?.failures)]
        }),
    ),
    ...(find('chain', 'down') || find('chain', 'up') ? comparison(find) : []),
  ]
}

// --- internal ---

/** What memory is looked at with. */
const memoryLoads = ['slow', 'slow900', 'connect'] as const

function section(
  title: string,
  titles: string[],
  subjects: readonly Subject[],
  columns: (name: string) => string[],
): string[] {
  if (subjects.length === 0) return []
  const rows = subjects.map(subject => row([subject.title, ...columns(subject.name)]))
  return ['', title, '', ...head(...titles), ...rows]
}

const oneStream = (trial: Trial | undefined) => [
  number(trial?.mbits),
  perGb(trial, 'exit'),
  perGb(trial, 'client'),
  megabytes(trial, 'exit'),
  megabytes(trial, 'client'),
]

function manyStreams(name: string, find: Find): string[] {
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
}

const perGb = (trial: Trial | undefined, process: Process) => {
  const cpu = cpuPerByte(trial, process)
  return number(cpu === undefined ? undefined : cpu * 1e9, 1)
}

const megabytes = (trial: Trial | undefined, part: 'exit' | 'client') =>
  number(trial && trial.peakMb[part] > 0 ? trial.peakMb[part] : undefined)

const quotient = (a: number | undefined, b: number | undefined) =>
  a === undefined || b === undefined ? undefined : a / b

/** The chain beside each of the others, and within itself. */
function comparison(find: Find): string[] {
  const ratios = (
    title: string,
    others: string[],
    figure: (trial: Trial | undefined) => number | undefined,
  ) =>
    others
      .filter(other => find(other, 'down') ?? find(other, 'up'))
      .map(other =>
        row([
          `${title} ${other}`,
          ...['down', 'up'].map(way =>
            number(quotient(figure(find('chain', way)), figure(find(other, way))), 2),
          ),
        ]),
      )
  const perByte = quotient(cpuPerByte(find('chain', 'down100')), cpuPerByte(find('chain', 'down')))
  const rate = quotient(find('chain', 'short')?.rate, find('socks', 'short')?.rate)
  const [through, direct] = [find('chain', 'single'), find('direct', 'single')]
  const added = through && direct ? through.firstByteP50 - direct.firstByteP50 : undefined
  return [
    '',
    ...head('ratio', 'down', 'up'),
    ...ratios(
      'chain’s throughput to',
      ['bare', 'tunnel', 'gost', 'hysteria', 'tuic', 'ssh', 'socks'],
      trial => trial?.mbits,
    ),
    ...ratios('the function’s CPU per byte to', ['bare', 'gost', 'hysteria', 'tuic', 'ssh'], trial =>
      cpuPerByte(trial),
    ),
    '',
    `CPU per byte at the function with 100 streams: ${number(perByte, 2)} × that with one; short requests: ${number(rate, 2)} × plain SOCKS5’s rate; ${number(added, 2)} ms added to a small request.`,
  ]
}
