import type { Session } from './launch.ts'

/** What a connection says about the exit it wants. */
export interface ExitRequest {
  /** The target's host: connections to the same site may keep the same exit. */
  host: string
  /** The user name of its login, which may ask for a region or a session of its own. */
  user?: string | undefined
}

/** Where connections get their exits from. */
export interface Exits {
  /** An exit that can be used now, or as soon as there is one; rejects at the limit (milliseconds). */
  pick(wanted: ExitRequest, limitMs: number): Promise<Session>
}
