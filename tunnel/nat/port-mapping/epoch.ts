/** What a router's clock said, and this machine's at that moment. Seconds. */
export interface Reading {
  /** Since the router began to keep mappings. */
  routerS: number
  hereS: number
}

/** By a protocol's rule, whether a router has lost its mappings between two readings. */
export type LossRule = (before: Reading, now: Reading) => boolean

export interface EpochOptions {
  isLost: LossRule
  /** Where an answer has the router's clock. Bytes from its beginning. */
  offset: number
  onLost(): void
  /** This machine's clock in seconds. */
  hereS?: () => number
}

/**
 * Watches the clock by which a router tells that it has lost its mappings, in every answer that a reader takes for one:
 * gives a reader as it was, but that sees to the clock.
 */
export function watchEpoch({
  isLost,
  offset,
  onLost,
  hereS = () => performance.now() / 1_000,
}: EpochOptions) {
  let before: Reading | undefined
  return <T>(read: (answer: Buffer) => T | undefined) =>
    (answer: Buffer): T | undefined => {
      const found = read(answer)
      if (found === undefined) return undefined
      const now = { routerS: answer.readUInt32BE(offset), hereS: hereS() }
      const lost = before !== undefined && isLost(before, now)
      before = now
      if (lost) onLost()
      return found
    }
}

/** What clocks may differ by, of messages that come late. Seconds. */
const toleranceS = 2

/** RFC 6886, section 3.6: it says less than its clock must have come to, were it slower by an eighth. */
export const lostByNatPmp: LossRule = (before, now) =>
  now.routerS + toleranceS < before.routerS + (now.hereS - before.hereS) * (7 / 8)

/** RFC 6887, section 8.5: it went back, or the two clocks differ by more than a sixteenth. */
export const lostByPcp: LossRule = (before, now) => {
  const [router, here] = [now.routerS - before.routerS, now.hereS - before.hereS]
  const isBehind = (a: number, b: number) => a + toleranceS < b - b / 16
  return router < -1 || isBehind(here, router) || isBehind(router, here)
}
