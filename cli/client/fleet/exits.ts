import type { Session } from './launch.ts'

/** What a connection asks of its exit. */
export interface ExitRequest {
  /** The target's host: connections to the same site may keep the same exit. */
  host: string
  /** The user name of its login, whose parameters may name a region or a sticky key. */
  user?: string | undefined
}

/** Where connections get their exits from. */
export interface Exits {
  /** An exit that can be used now, or as soon as there is one; rejects at the limit (milliseconds). */
  select(request: ExitRequest, limitMs: number): Promise<Session>
}
