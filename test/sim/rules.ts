import type { Action } from '../../cli/client/fleet/plan.ts'
import type { FleetState, Member, Role } from '../../cli/client/fleet/state.ts'
import { isCalm, type Schedule } from './schedule.ts'

// What must hold whatever happens, in terms of its own: nothing of the plan's reasoning is used here.

const reserveMs = 10_000
const minuteMs = 60_000
const demandMs = 300_000
/** A draining exit is looked at once a second, and closed when it had no connections for one. */
const closeWithinMs = 2_100
const lingerMs = 1_000
/** What time alone brings about is done this soon. */
const lateMs = 5
/** Back-off's longest wait, with the most of its jitter. */
const maxWaitMs = 90_000
const nextRoles: Record<Role, Role[]> = { launching: ['active'], active: ['draining'], draining: [] }

export interface Rules {
  /** Before something happens: what was due by time alone has been done. */
  beforeEvent(now: number): void
  /** The plan is about to be carried out. */
  beforePlan(actions: Action[], now: number): void
  /** It has been carried out. */
  afterPlan(now: number): void
  launched(region: string, now: number): void
}

/** Watches a fleet's state; throws an Error that says what does not hold. */
export function watch(schedule: Schedule, state: FleetState, isIdleSince: (id: string) => number): Rules {
  const { sessions, standby, launchesPerMinute, rotateMs } = schedule.settings
  const wanted = sessions + standby
  const roles = new Map<string, Role>()
  const drainingSince = new Map<string, number>()
  const launches: number[] = []
  let plannedAt = 0
  let wasFull = false

  const members = () => [...state.members.values()]
  const takesNew = (member: Member, now: number) =>
    member.role === 'active' && !member.silent && now < member.deadline - reserveMs
  const isDue = (member: Member, now: number) => member.retired || now >= member.readyAt + rotateMs
  const covers = (member: Member, now: number) =>
    member.role === 'launching' || (takesNew(member, now) && !isDue(member, now))
  const demanded = (now: number) =>
    [...state.demands].filter(([name, at]) => state.regions.has(name) && at + demandMs > now)
  const hold = (condition: boolean, rule: string) => {
    if (!condition) throw new Error(rule)
  }

  function launchesAreUnderWay(now: number): void {
    if (launches.filter(at => at + minuteMs > now).length >= launchesPerMinute) return
    const open = [...state.regions.values()].filter(({ retryAt }) => retryAt <= now).map(({ name }) => name)
    const covering = members().filter(member => covers(member, now))
    hold(
      covering.length >= wanted || open.length === 0,
      `${wanted - covering.length} exits are missing or due, a region is free and the budget allows, yet nothing is launched`,
    )
    for (const [region] of demanded(now))
      hold(
        !open.includes(region) || covering.some(member => member.region === region),
        `connections ask for ${region}, it is free and the budget allows, yet nothing is launched there`,
      )
  }

  function nothingLingers(now: number): void {
    for (const member of members()) {
      hold(
        member.role !== 'active' || now < member.deadline - reserveMs,
        'an exit in its last 10 s still takes connections',
      )
      hold(
        member.role !== 'draining' ||
          now - Math.max(isIdleSince(member.id), drainingSince.get(member.id)!) < closeWithinMs,
        'a draining exit without connections is kept, and billed',
      )
    }
    const inUse = members().filter(member => takesNew(member, now)).length
    hold(inUse <= wanted + demanded(now).length, `${inUse} exits are kept where ${wanted} are wanted`)
    for (const { retryAt } of state.regions.values())
      hold(retryAt - now <= maxWaitMs, 'a region is set aside for longer than a minute and a half')
  }

  function rolesGoForward(now: number): void {
    for (const { id, role } of members()) {
      const before = roles.get(id)
      hold(
        before === undefined ? role === 'launching' : before === role || nextRoles[before].includes(role),
        `a session went from ${before ?? 'nothing'} to ${role}`,
      )
      roles.set(id, role)
      if (role === 'draining' && before !== role) drainingSince.set(id, now)
    }
  }

  return {
    beforeEvent(now) {
      const due = Math.max(plannedAt, now - lateMs)
      launchesAreUnderWay(due)
      nothingLingers(due)
      if (!isCalm(schedule)) return
      const inUse = members().filter(member => takesNew(member, now)).length
      wasFull ||= inUse >= sessions
      hold(
        !wasFull || inUse >= sessions,
        `nothing fails, yet only ${inUse} of ${sessions} exits take connections`,
      )
    },
    beforePlan(actions, now) {
      rolesGoForward(now)
      const retired = new Set<string>()
      for (const action of actions) {
        if (action.type === 'launch') continue
        const member = state.members.get(action.id)
        if (action.type === 'close') {
          hold(member?.role === 'draining', `a session that is ${member?.role ?? 'gone'} is closed`)
          hold(member?.connections === 0, 'a session is closed under its connections')
          hold(
            drainingSince.get(action.id)! + lingerMs <= now,
            'a session is closed as soon as it is retired',
          )
        } else {
          hold(member?.role === 'active', `a session that is ${member?.role ?? 'gone'} is retired`)
          if (member && takesNew(member, now)) retired.add(member.id)
        }
      }
      if (retired.size === 0) return
      const left = members().filter(member => takesNew(member, now) && !retired.has(member.id))
      hold(left.length >= wanted, `exits are retired that leave ${left.length} of ${wanted}`)
      for (const [region] of demanded(now))
        hold(
          ![...retired].some(id => state.members.get(id)?.region === region) ||
            left.some(member => member.region === region),
          `the last exit of ${region} is retired while connections ask for it`,
        )
    },
    afterPlan(now) {
      plannedAt = now
      rolesGoForward(now)
    },
    launched(region, now) {
      hold(state.regions.get(region)!.retryAt <= now, `${region} is set aside, yet an exit is launched there`)
      launches.push(now)
      while (launches[0]! + minuteMs <= now) launches.shift()
      hold(launches.length <= launchesPerMinute, `${launches.length} launches in a minute`)
      const onTheWay = members().filter(({ role }) => role === 'launching').length
      hold(onTheWay <= wanted + demanded(now).length, `${onTheWay} launches are under way at once`)
    },
  }
}
