import type { RelayEnd } from '../tunnel/relay.ts'

/** The steps of a session's set-up, in their order. */
export const steps = ['stun', 'offer', 'answer', 'punch', 'quic', 'hello'] as const
export type Step = (typeof steps)[number]

/** Everything that happens in the process, told once: the terminal, --json and whatever else shows it listen here. */
export type ProxyEvent =
  | { type: 'session.launching'; session: string; region: string }
  /** A step is done; `ms` is what it took, `detail` what came of it. */
  | { type: 'session.step'; session: string; step: Step; ms: number; detail: string }
  | {
      type: 'session.ready'
      session: string
      region: string
      address: string
      remainingMs: number
      setUpMs: number
    }
  | {
      type: 'session.failed'
      session: string
      region: string
      step: Step
      message: string
      retryMs: number
      /** The region's launch before failed for the same reason. */
      repeated: boolean
    }
  | { type: 'session.draining'; session: string; connections: number; remainingMs: number }
  /** The exit answers no probes (true) or is heard again (false). */
  | { type: 'session.silent'; session: string; silent: boolean }
  /** The launch budget is used up; launches go on when a minute has passed. */
  | { type: 'fleet.budget'; launchesPerMinute: number }
  | { type: 'session.closed'; session: string; kind: string; message: string }
  | { type: 'proxy.ready'; host: string; port: number; address: string }
  | {
      type: 'connection.opened'
      connection: number
      session: string
      target: string
      ms: number
      firstByteMs?: number
    }
  | { type: 'connection.refused'; connection: number; target: string; reply: number }
  | { type: 'connection.failed'; connection: number; message: string }
  | {
      type: 'connection.closed'
      connection: number
      session: string
      bytesUp: number
      bytesDown: number
      ms: number
      how: RelayEnd
    }
  | { type: 'function.log'; session: string | undefined; level: string; message: string; fields: object }

export interface Events {
  emit(event: ProxyEvent): void
  /** Gives the function that ends the subscription. */
  subscribe(listener: (event: ProxyEvent) => void): () => void
}

export function createEvents(): Events {
  const listeners = new Set<(event: ProxyEvent) => void>()
  return {
    emit: event => {
      for (const listener of listeners) listener(event)
    },
    subscribe: listener => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
