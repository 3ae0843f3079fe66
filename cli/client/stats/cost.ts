import { arm64Share, pricesIn, pricesOf, referencePrices, referenceRegion } from './prices.ts'
import type { CostState, ExitStatus } from './state.ts'

/** What AWS bills for, in one region. */
export interface Usage {
  gbSeconds: number
  /** Of these, on arm64. */
  arm64GbSeconds: number
  launches: number
  /** Bytes from the exits to the internet: down to this machine, and up to the targets. */
  bytesOut: number
}

/** An offer and an answer; deleting them is free. */
const putsPerLaunch = 2
/** The offer by the function; the answer by the client, who asks again and again until it is there. */
const getsPerLaunch = 10
/** What QUIC, UDP and IP add to what the applications send, as measured at 1,350-byte packets. */
const overhead = 1.05
/** The size of a function that never said how large it is: the default mode's. */
const usualMemoryMb = 256

const nothing: Usage = { gbSeconds: 0, arm64GbSeconds: 0, launches: 0, bytesOut: 0 }

/** What an exit has used by now. Its function runs until its exit ends, or its time is up. */
export function usageOf(exit: ExitStatus, now: number): Usage {
  if (exit.billedFrom === undefined) return nothing
  const until = Math.min(exit.endedAt ?? now, exit.deadlineAt ?? Number.POSITIVE_INFINITY)
  const seconds = Math.max(0, until - exit.billedFrom) / 1000
  return {
    ...computeOf(seconds, exit),
    launches: 1,
    bytesOut: onWire(exit.bytesDown + exit.bytesUp),
  }
}

/** What so many seconds of a function are billed as. */
export function computeOf(
  seconds: number,
  { memoryMb = usualMemoryMb, architecture }: Pick<ExitStatus, 'memoryMb' | 'architecture'>,
): Pick<Usage, 'gbSeconds' | 'arm64GbSeconds'> {
  const gbSeconds = (seconds * memoryMb) / 1024
  return { gbSeconds, arm64GbSeconds: architecture === 'arm64' ? gbSeconds : 0 }
}

/** The bytes that an exit sends to carry so many of the applications'. */
export const onWire = (bytes: number): number => bytes * overhead

/** Adds usage to that of a region. */
export function addUsage(ledger: Map<string, Usage>, region: string, usage: Usage): void {
  const sum = ledger.get(region) ?? nothing
  ledger.set(region, {
    gbSeconds: sum.gbSeconds + usage.gbSeconds,
    arm64GbSeconds: sum.arm64GbSeconds + usage.arm64GbSeconds,
    launches: sum.launches + usage.launches,
    bytesOut: sum.bytesOut + usage.bytesOut,
  })
}

/** What usage, by region, costs in dollars at the prices of this release. */
export function costOf(ledger: ReadonlyMap<string, Usage>): CostState {
  const items = { compute: 0, requests: 0, storage: 0, dataOut: 0 }
  const sum = { gbSeconds: 0, launches: 0, bytesOut: 0 }
  let assumed = false
  for (const [region, usage] of ledger) {
    const known = pricesIn(region)
    const prices = known ?? referencePrices
    assumed ||= !known
    items.compute += (usage.gbSeconds - usage.arm64GbSeconds * (1 - arm64Share)) * prices.gbSecond
    items.requests += usage.launches * prices.request
    items.storage += usage.launches * (putsPerLaunch * prices.put + getsPerLaunch * prices.get)
    items.dataOut += (usage.bytesOut / 1e9) * prices.gbOut
    sum.gbSeconds += usage.gbSeconds
    sum.launches += usage.launches
    sum.bytesOut += usage.bytesOut
  }
  return {
    total: items.compute + items.requests + items.storage + items.dataOut,
    items,
    ...sum,
    pricesOf,
    ...(assumed && { assumedRegion: referenceRegion }),
  }
}
