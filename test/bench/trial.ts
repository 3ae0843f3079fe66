import { type Load, type LoadResult, together } from './load.ts'
import { usage } from './measure.ts'
import type { Place } from './place.ts'
import type { Part, Running, Subject } from './subjects/subject.ts'
import type { Workload } from './workloads.ts'

export type Process = Part | 'origin' | 'reader'

/** The figures of one workload on one subject. */
export interface Trial {
  /** Delay and loss, nothing on loopback. */
  place: string
  subject: string
  workload: string
  seconds: number
  bytes: number
  failures: number
  why?: string | undefined
  /** Of payload, 10^6 bits a second. */
  mbits: number
  /** The same of each of the loads that the workload is made of. */
  mbitsEach: number[]
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
  peakMb: Record<Part, number>
  /** Sent by each end at a time, where the subject counts that. */
  packetsPerBatch?: Record<Part, number>
}

/** Starts a subject afresh, warms it up, and runs one workload on it. */
export async function runTrial(
  place: Place,
  subject: Subject,
  workload: Workload,
  warmUp: readonly Load[],
): Promise<Trial> {
  const running = await subject.start(place)
  try {
    for (const load of warmUp.slice(0, subject.oneStream ? 1 : undefined))
      if ((await running.run(load)).failures > 0) throw new Error('connections failed in the warm-up already')
    const before = await look(running, place)
    const results = await Promise.all(workload.loads.map(load => running.run(load)))
    const after = await look(running, place)
    return {
      place: place.name,
      subject: subject.name,
      workload: workload.name,
      mbitsEach: results.map(mbits),
      ...figures(together(results), before, after),
    }
  } finally {
    await running.stop()
  }
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

async function look(running: Running, { origin }: Place) {
  const { exit, client } = running.parts()
  const packets = await running.packets?.()
  return { exit: usage(exit), client: usage(client), origin: usage([origin.pid]), packets }
}

type Look = Awaited<ReturnType<typeof look>>

function figures(result: LoadResult, before: Look, after: Look) {
  const cpu = (part: 'exit' | 'client' | 'origin') => after[part].cpuSeconds - before[part].cpuSeconds
  const perBatch = (part: Part) => {
    const [then, now] = [before.packets?.[part], after.packets?.[part]]
    return then && now ? (now.sent - then.sent) / (now.batches - then.batches) : 0
  }
  const { seconds, bytes, failures, why, connectMs, firstByteMs, fairness } = result
  return {
    seconds,
    bytes,
    failures,
    why,
    mbits: mbits(result),
    rate: connectMs.length / seconds,
    connectP50: quantile(connectMs, 0.5),
    connectP99: quantile(connectMs, 0.99),
    firstByteP50: quantile(firstByteMs, 0.5),
    firstByteP99: quantile(firstByteMs, 0.99),
    fairness,
    cpu: { exit: cpu('exit'), client: cpu('client'), origin: cpu('origin'), reader: result.cpuSeconds },
    peakMb: { exit: after.exit.peakMb, client: after.client.peakMb },
    ...(after.packets && { packetsPerBatch: { exit: perBatch('exit'), client: perBatch('client') } }),
  }
}

const mbits = ({ bytes, seconds }: LoadResult) => (bytes * 8) / 1e6 / seconds

/** Of values in ascending order; 0 when there are none. */
const quantile = (sorted: readonly number[], share: number) =>
  sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0
