import type { ExitRequest, Exits } from './exits.ts'
import { createWaitList } from './wait-list.ts'

/** The exits of a fleet that has yet to start: connections wait for it as they would for an exit. */
export interface ComingFleet<Fleet extends Exits> extends Exits {
  /** From now on they are this fleet's. */
  arrive(fleet: Fleet): void
  /** The fleet once it is there; undefined before. */
  readonly arrived: Fleet | undefined
}

export function comingFleet<Fleet extends Exits>(): ComingFleet<Fleet> {
  const waits = createWaitList()
  let arrived: Fleet | undefined
  const selectLater = async (request: ExitRequest, limitMs: number) => {
    const limit = performance.now() + limitMs
    const fleet = await waits.wait(() => arrived, limitMs, request.signal)
    return fleet.select(request, limit - performance.now())
  }
  return {
    arrive(fleet) {
      arrived = fleet
      waits.retry()
    },
    get arrived() {
      return arrived
    },
    full: session => arrived?.full(session),
    mayReuse: (session, host) => arrived?.mayReuse(session, host) ?? false,
    ban: (host, session) => arrived?.ban?.(host, session),
    select: (request, limitMs) => arrived?.select(request, limitMs) ?? selectLater(request, limitMs),
  }
}
