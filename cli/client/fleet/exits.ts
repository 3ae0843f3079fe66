import type { Cancellation } from '../../../tunnel/net/cancellation.ts'
import { CodedError } from '../../../tunnel/net/coded-error.ts'
import type { Session } from './launch.ts'

/** What a connection asks of its exit. */
export interface ExitRequest {
  /** The target's host: connections to the same site may keep the same exit. */
  host: string
  /** The user name of its login, whose parameters may name a region or a sticky key. */
  user?: string | undefined
  /** The regions whose exits it may use; any where nothing is said. */
  regions?: readonly string[] | undefined
  /** Aborted when whoever asks is gone. */
  signal?: Cancellation | undefined
}

/** There is no exit for a connection: none in the region it asks for, none in time, or the proxy ends. */
export class NoExitError extends CodedError<
  'E_REGION_NOT_DEPLOYED' | 'E_REGION_NOT_ALLOWED' | 'E_BUDGET_SPENT' | 'E_EXIT_TIMEOUT' | 'E_PROXY_CLOSED'
> {
  override readonly name = 'NoExitError'
}

/** Where connections get their exits from. */
export interface Exits {
  /**
   * An exit that accepts connections, now or as soon as there is one. Rejects with a NoExitError at the limit
   * (milliseconds), or with the signal's reason.
   */
  select(request: ExitRequest, limitMs: number): Promise<Session>
  /** An exit said that it is full: it gets no connections for a while, and another comes up. */
  full(session: string): void
  /** Whether this exit may be used for another request to the host, on a connection that is there already. */
  mayReuse(session: string, host: string): boolean
  /** The site of this host has refused the exit: it gets others from now on. */
  ban?(host: string, session: string): unknown
}
