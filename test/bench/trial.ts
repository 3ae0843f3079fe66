import { drive, type Load, type LoadResult, together } from './load.ts'
import { usage } from './measure.ts'
import { type PathFigures, pathFigures } from './path.ts'
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
  /** What the link between the sides saw, where there is one. */
  path?: PathFigures
  /** Of the bytes that it and the flow beside it brought; 1 where there is none. */
  share: number
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
    const beside = workload.beside && drive(place, workload.beside)
    const results = await Promise.all(workload.loads.map(load => running.run(load)))
    const other = await beside
    const after = await look(running, place)
    const total = together(results)
    return {
      place: place.name,
      subject: subject.name,
      workload: workload.name,
      mbitsEach: results.map(mbits),
      ...figures(total, before, after),
      ...(place.link && { path: pathFigures(place.link.delayMs, total.bytes, before.link!, after.link!) }),
      share: other ? mbits(total) / (mbits(total) + mbits(other)) : 1,
    }
  } finally {
    await running.stop()
  }
}

/**
 * Of trials of the same the one in the middle by the workload's figure. What that figure says nothing of (memory,
 * fairness, the path) is each the median of all; failures are those of the worst.
 */
export function middle(trials: readonly Trial[], { figure }: Workload): Trial {
  const sorted = trials.toSorted((a, b) => a[figure] - b[figure])
  const trial = sorted[Math.floor((sorted.length - 1) / 2)]!
  const median = (read: (trial: Trial) => number | undefined) => medianOf(trials.map(each => read(each) ?? 0))
  return {
    ...trial,
    failures: Math.max(...trials.map(({ failures }) => failures)),
    why: trials.find(({ why }) => why)?.why,
    fairness: median(each => each.fairness),
    peakMb: { exit: median(each => each.peakMb.exit), client: median(each => each.peakMb.client) },
    share: median(each => each.share),
    ...(trial.path && {
      path: {
        lost: median(each => each.path?.lost),
        dropped: median(each => each.path?.dropped),
        sentAgain: median(each => each.path?.sentAgain),
        roundTripP50: median(each => each.path?.roundTripP50),
      },
    }),
  }
}

// --- internal ---

const medianOf = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)]!

async function look(running: Running, { origin, link }: Place) {
  const { exit, client } = running.parts()
  const packets = await running.packets?.()
  return {
    exit: usage(exit),
    client: usage(client),
    origin: usage([origin.pid]),
    packets,
    link: await link?.counters(),
  }
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
