import type { LoadResult } from './load.ts'
import { usage } from './measure.ts'
import type { Running, Subject } from './subjects/subject.ts'
import type { Workload } from './workloads.ts'

export type Process = 'exit' | 'client' | 'origin' | 'reader'

/** The figures of one workload on one subject. */
export interface Trial {
  subject: string
  workload: string
  seconds: number
  bytes: number
  failures: number
  why?: string | undefined
  /** Of payload, 10^6 bits a second. */
  mbits: number
  /** Connections a second. */
  rate: number
  connectP50: number
  connectP99: number
  firstByteP50: number
  firstByteP99: number
  fairness: number
  /** CPU seconds of each process during the load. */
  cpu: Record<Process, number>
  /** Megabytes. */
  peakMb: Record<'exit' | 'client', number>
}

const warmUp = [
  { action: 'get', connections: 1, atOnce: 1, bytes: 10_000_000 },
  { action: 'get', connections: 100, atOnce: 8, bytes: 1024 },
] as const

/** Starts a subject afresh, warms it up, and runs one workload on it. */
export async function runTrial(subject: Subject, workload: Workload, origin: Origin): Promise<Trial> {
  const running = await subject.start(origin.port)
  try {
    for (const load of warmUp.slice(0, subject.oneStream ? 1 : undefined))
      if ((await running.run(load)).failures > 0) throw new Error('connections failed in the warm-up already')
    const before = look(running, origin)
    const result = await running.run(workload.load)
    const after = look(running, origin)
    return { subject: subject.name, workload: workload.name, ...figures(result, before, after) }
  } finally {
    await running.stop()
  }
}

export interface Origin {
  port: number
  pid: number
}

/** The better of two trials of the same; its memory is the higher of both. */
export function better(a: Trial | undefined, b: Trial, figure: Workload['figure']): Trial {
  if (!a) return b
  const higherWins = figure === 'mbits' || figure === 'rate'
  const best = a[figure] > b[figure] === higherWins ? a : b
  const { max } = Math
  return {
    ...best,
    failures: max(a.failures, b.failures),
    why: a.why ?? b.why,
    peakMb: { exit: max(a.peakMb.exit, b.peakMb.exit), client: max(a.peakMb.client, b.peakMb.client) },
  }
}

// --- internal ---

function look(running: Running, origin: Origin) {
  const { exit, client } = running.parts()
  return { exit: usage(exit), client: usage(client), origin: usage([origin.pid]) }
}

function figures(result: LoadResult, before: ReturnType<typeof look>, after: ReturnType<typeof look>) {
  const cpu = (part: keyof typeof before) => after[part].cpuSeconds - before[part].cpuSeconds
  const { seconds, bytes, failures, why, connectMs, firstByteMs, fairness } = result
  return {
    seconds,
    bytes,
    failures,
    why,
    mbits: (bytes * 8) / 1e6 / seconds,
    rate: connectMs.length / seconds,
    connectP50: quantile(connectMs, 0.5),
    connectP99: quantile(connectMs, 0.99),
    firstByteP50: quantile(firstByteMs, 0.5),
    firstByteP99: quantile(firstByteMs, 0.99),
    fairness,
    cpu: { exit: cpu('exit'), client: cpu('client'), origin: cpu('origin'), reader: result.cpuSeconds },
    peakMb: { exit: after.exit.peakMb, client: after.client.peakMb },
  }
}

/** Of values in ascending order; 0 when there are none. */
const quantile = (sorted: readonly number[], share: number) =>
  sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0
