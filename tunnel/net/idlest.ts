/** What can be given up for others while nothing uses it. */
export interface Idler {
  /** When it was last of use, by performance.now(). */
  usedAt: number
  giveUp(): void
}

/** Gives up the one that has been idle for longest, if that is at least so many milliseconds. False: there is none. */
export function giveUpIdlest(all: Iterable<Idler>, idleMs: number): boolean {
  let idlest: Idler | undefined
  for (const each of all) if (!idlest || each.usedAt < idlest.usedAt) idlest = each
  if (!idlest || performance.now() - idlest.usedAt < idleMs) return false
  idlest.giveUp()
  return true
}
