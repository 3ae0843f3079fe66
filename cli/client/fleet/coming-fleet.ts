import { setTimeout as sleep } from 'node:timers/promises'
import { type Exits, NoExitError } from './exits.ts'

/** Exits of a fleet that is still to be started: a connection waits for it as it waits for an exit. */
export interface ComingFleet<Fleet extends Exits> extends Exits {
  /** From now on they are this fleet's. */
  arrive(fleet: Fleet): void
  /** The fleet once it is there. */
  readonly fleet: Promise<Fleet>
}

export function comingFleet<Fleet extends Exits>(): ComingFleet<Fleet> {
  const { promise: fleet, resolve: arrive } = Promise.withResolvers<Fleet>()
  return {
    arrive,
    fleet,
    async select(request, limitMs) {
      const limit = performance.now() + limitMs
      const late = new AbortController()
      const arrived = await Promise.race([
        fleet,
        sleep(limitMs, undefined, { signal: late.signal, ref: false }).catch(() => undefined),
      ])
      late.abort()
      if (!arrived) throw new NoExitError('E_EXIT_TIMEOUT', `no exit came up within ${limitMs / 1000} s`)
      return arrived.select(request, limit - performance.now())
    },
  }
}
