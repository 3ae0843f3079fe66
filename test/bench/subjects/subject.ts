import type { Load, LoadResult } from '../load.ts'
import type { Place } from '../place.ts'
import type { Packets } from '../programs/end.ts'

/** The parts whose CPU and memory are told apart: `exit` is the end at the target, `client` the end at the application. */
export type Part = 'exit' | 'client'

/** Something that carries a load. */
export interface Subject {
  name: string
  /** What stands in the table. */
  title: string
  /** It has no SOCKS5 port, and carries one stream each way at a time. */
  oneStream?: boolean
  /** Gets what it needs of the machine, once. Rejects with what is lacking. */
  prepare?(): Promise<void>
  /** Starts it afresh. */
  start(place: Place): Promise<Running>
}

export interface Running {
  /** The processes of each part, as they are now. */
  parts(): Record<Part, number[]>
  /** What each end has sent so far, where it counts that. */
  packets?(): Promise<Record<Part, Packets>>
  run(load: Load): Promise<LoadResult>
  stop(): Promise<void>
}
