import { printable } from '../../../tunnel/net/printable.ts'
import { type ExitRequest, NoExitError } from './exits.ts'
import { isAccepting } from './plan.ts'
import { parseLoginParams } from './select.ts'
import type { FleetState } from './state.ts'

/**
 * The region that is to have an exit for a request; undefined where any will do. Of several that its login may use it
 * is one that has an exit, or was asked for before. Throws a NoExitError where there is none.
 */
export function regionFor(
  state: FleetState,
  { user, regions }: ExitRequest,
  now: number,
): string | undefined {
  const { region } = parseLoginParams(user)
  if (region !== undefined && regions && !regions.includes(region))
    throw new NoExitError('E_REGION_NOT_ALLOWED', `the login may not use exits in ${named([region])}`, {
      hint: `It may use those in ${regions.join(', ')}.`,
    })
  const asked = region === undefined ? regions : [region]
  if (!asked) return undefined
  const deployed = asked.filter(name => state.regions.has(name))
  if (deployed.length === 0)
    throw new NoExitError('E_REGION_NOT_DEPLOYED', `no exit is deployed in ${named(asked)}`, {
      hint: `Ask for one of ${[...state.regions.keys()].join(', ')}.`,
    })
  const exits = [...state.exits.values()]
  const has = (fits: (name: string) => boolean) => deployed.find(fits)
  return (
    has(name => exits.some(exit => exit.region === name && isAccepting(exit, now))) ??
    has(name => exits.some(exit => exit.region === name && exit.phase === 'launching')) ??
    has(name => state.demands.has(name)) ??
    has(name => state.regions.get(name)!.retryAt <= now) ??
    deployed[0]
  )
}

// --- internal ---

/** A client writes whatever it likes. */
const named = (regions: readonly string[]) =>
  regions.map(region => printable(region) || 'a region without a name').join(' or ')
