import type { Log } from './log.ts'

/** Places for connections to targets: those of the whole process, whose sessions share them. */
export interface Room {
  readonly size: number
  /** Takes a place and gives what frees it; undefined when there is none. That is logged once, until there is again. */
  enter(log: Log): (() => void) | undefined
}

/** Descriptors for what is no connection to a target: the runtime, S3, name look-ups, sockets of associations. */
const reservedDescriptors = 124
/** What the function itself has resident, and how many connections whose clients read slowly a megabyte holds. */
const ownMb = 88
const placesPerMb = 15

/** How many connections a function of so much memory, and so many descriptors where that is known, can hold. */
export function roomSize(memoryMb: number, descriptors = Number.POSITIVE_INFINITY): number {
  const byMemory = (memoryMb - ownMb) * placesPerMb
  return Math.max(1, Math.floor(Math.min(byMemory, descriptors - reservedDescriptors)))
}

export function createRoom(size: number): Room {
  let taken = 0
  let told = false
  return {
    size,
    enter(log) {
      if (taken >= size) {
        if (!told) log.warn('full: no more connections fit', { connections: taken })
        told = true
        return undefined
      }
      taken++
      let here = true
      return () => {
        if (!here) return
        here = false
        taken--
        told = false
      }
    },
  }
}
