import type { Load, LoadResult } from '../load.ts'

/** The parts whose CPU and memory are told apart: `exit` is the end at the target, `client` the end at the application. */
export type Part = 'exit' | 'client'

/** Something that carries a load. */
export interface Subject {
  name: string
  /** What stands in the table. */
  title: string
  /** It has no SOCKS5 port, and carries one stream at a time. */
  oneStream?: boolean
  /** Gets what it needs of the machine, once. Rejects with what is lacking. */
  prepare?(): Promise<void>
  /** Starts it afresh; `origin` is the web server's port. */
  start(origin: number): Promise<Running>
}

export interface Running {
  /** The processes of each part, as they are now. */
  parts(): Record<Part, number[]>
  run(load: Load): Promise<LoadResult>
  stop(): Promise<void>
}
