import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ask, isIdle } from '../../cli/client/fleet/idle.ts'
import { isAccepting, overBudget, plan, planAgainAt, replaceAt } from '../../cli/client/fleet/plan.ts'
import { createSelector } from '../../cli/client/fleet/select.ts'
import {
  defaultFleetSettings,
  draining,
  type ExitState,
  ended,
  type FleetSettings,
  type FleetState,
  forget,
  full,
  launching,
  loaded,
  newFleetState,
  ready,
} from '../../cli/client/fleet/state.ts'

const test = suite('The plan of the fleet')

const fleet = (settings: Partial<FleetSettings> = {}, regions = ['here', 'there']): FleetState =>
  newFleetState({ ...defaultFleetSettings, ...settings }, regions)

let count = 0

/** An exit that has been up since `at`, of a function with ten minutes. */
function up(state: FleetState, region: string, at: number, deadline = at + 600_000): ExitState {
  const id = `s${++count}`
  launching(state, id, region, at)
  ready(state, id, deadline, at)
  return state.exits.get(id)!
}

const launched = (state: FleetState, now: number) =>
  plan(state, now).flatMap(action => (action.type === 'launch' ? [action.region] : []))
const retired = (state: FleetState, now: number) =>
  plan(state, now).flatMap(action => (action.type === 'drain' ? [action.id] : []))

test('as many exits are launched as there should be, spread over the regions, and no more while they come up', () => {
  const state = fleet({ sessions: 2, standby: 1 })
  assert.equal(launched(state, 0), ['here', 'there', 'here'])
  launching(state, 'a', 'here', 0)
  assert.equal(launched(state, 0), ['there', 'there'])
  launching(state, 'b', 'there', 0)
  launching(state, 'c', 'there', 0)
  assert.equal(plan(state, 0), [])
})

test('the next exit is in the region that was not used for longest', () => {
  const state = fleet({ rotateMs: 60_000 }, ['one', 'two', 'three'])
  const regions: string[] = []
  for (let now = 0; regions.length < 6; now += 60_000) {
    forget(state, now)
    const [region] = launched(state, now)
    regions.push(region!)
    const [old] = state.exits.keys()
    up(state, region!, now)
    if (old) assert.equal(retired(state, now), [old])
    if (old) state.exits.delete(old)
  }
  assert.equal(regions, ['one', 'two', 'three', 'one', 'two', 'three'])
})

test('an exit is replaced after the rotation interval, or before its function must end', () => {
  const state = fleet()
  const exit = up(state, 'here', 1_000)
  assert.is(replaceAt(exit, 60_000), 61_000)
  // 10 s for draining, 20 s for the launch.
  assert.is(replaceAt(exit, Number.POSITIVE_INFINITY), 1_000 + 600_000 - 10_000 - 20_000)
  assert.is(replaceAt(exit, 599_000), 1_000 + 600_000 - 10_000 - 20_000)
  // A short life keeps two thirds for itself.
  const short = up(state, 'here', 0, 40_000)
  assert.is(replaceAt(short, Number.POSITIVE_INFINITY), 20_000)
  short.retired = true
  assert.is(replaceAt(short, 60_000), Number.NEGATIVE_INFINITY)
})

test('an exit is retired when its replacement is up, and not before', () => {
  const state = fleet({ rotateMs: 60_000 })
  const old = up(state, 'here', 0)
  assert.equal(plan(state, 59_999), [])
  assert.equal(plan(state, 60_000), [{ type: 'launch', region: 'there' }])
  launching(state, 'next', 'there', 60_000)
  assert.equal(plan(state, 61_000), [])
  assert.ok(isAccepting(old, 61_000))
  ready(state, 'next', 661_000, 62_000)
  assert.equal(plan(state, 62_000), [{ type: 'drain', id: old.id }])
})

test('an exit in its last 10 seconds is retired whatever comes after it', () => {
  const state = fleet({}, ['here'])
  const exit = up(state, 'here', 0, 100_000)
  state.regions.get('here')!.retryAt = 1_000_000
  assert.equal(plan(state, 89_999), [])
  assert.ok(isAccepting(exit, 89_999))
  assert.equal(plan(state, 90_000), [{ type: 'drain', id: exit.id }])
  assert.not(isAccepting(exit, 90_000))
})

test('a full exit takes nothing for 10 s, and another comes up within the budget', () => {
  const state = fleet({ launchesPerMinute: 2 }, ['here'])
  const exit = up(state, 'here', 0)
  loaded(state, exit.id, 900, 20_000)
  full(state, exit.id, 20_000)
  assert.not(isAccepting(exit, 20_000))
  assert.equal(plan(state, 20_000), [{ type: 'launch', region: 'here' }])
  assert.is(planAgainAt(state, 20_000), 30_000)
  const other = up(state, 'here', 21_000)
  assert.equal(plan(state, 21_000), [])
  full(state, other.id, 22_000)
  assert.equal(plan(state, 22_000), [], 'both launches of this minute are used up')
  assert.ok(overBudget(state, 22_000))
  // It is asked again, and only when it has room does one of the two retire.
  assert.ok(isAccepting(exit, 30_000))
  assert.equal(plan(state, 30_000), [])
  assert.equal(plan(state, 32_000), [{ type: 'drain', id: exit.id }])
})

test('a retired exit is closed when it had no connections for a second', () => {
  const state = fleet()
  const old = up(state, 'here', 0)
  up(state, 'there', 0)
  draining(state, old.id, 1_000)
  const closed = (now: number) => plan(state, now).some(({ type }) => type === 'close')
  loaded(state, old.id, 1, 1_500)
  assert.not(closed(100_000))
  loaded(state, old.id, 0, 100_000)
  assert.not(closed(2_499))
  assert.ok(closed(2_500))
})

test('a silent exit is replaced; when it is heard again the one too many is retired', () => {
  const state = fleet()
  const first = up(state, 'here', 0)
  first.silent = true
  assert.not(isAccepting(first, 20_000))
  assert.equal(plan(state, 20_000), [{ type: 'launch', region: 'there' }])
  const second = up(state, 'there', 21_000)
  assert.equal(plan(state, 21_000), [])
  first.silent = false
  assert.equal(plan(state, 22_000), [{ type: 'drain', id: first.id }])
  assert.ok(isAccepting(second, 22_000))
})

test('a region that a login asks for gets an exit, and keeps it while it is asked for', () => {
  const state = fleet()
  up(state, 'here', 0)
  state.demands.set('there', 1_000)
  assert.equal(plan(state, 1_000), [{ type: 'launch', region: 'there' }])
  const there = up(state, 'there', 2_000)
  // There should be one and there are two: the region that is asked for keeps its own.
  assert.not(retired(state, 2_000).includes(there.id))
  there.retired = true
  assert.not(retired(state, 2_000).includes(there.id))
  assert.ok(launched(state, 2_000).includes('there'))
  forget(state, 300_999)
  assert.ok(state.demands.has('there'))
  forget(state, 301_000)
  assert.not(state.demands.has('there'))
  assert.equal(retired(state, 301_000), [there.id])
})

test('a demand for a region that is not there launches nothing', () => {
  const state = fleet()
  up(state, 'here', 0)
  state.demands.set('elsewhere', 0)
  assert.equal(plan(state, 0), [])
})

test('the launch budget holds for any minute, and says so only when it is what is in the way', () => {
  const state = fleet({ sessions: 3, launchesPerMinute: 2 })
  assert.is(launched(state, 0).length, 2)
  assert.not(overBudget(state, 0))
  up(state, 'here', 0)
  up(state, 'there', 10_000)
  assert.equal(plan(state, 10_000), [])
  assert.ok(overBudget(state, 10_000))
  assert.is(planAgainAt(state, 10_000), 60_000)
  forget(state, 60_000)
  assert.is(launched(state, 60_000).length, 1)
  up(state, 'here', 60_000)
  assert.not(overBudget(state, 60_000), 'no exit is missing')
})

test('the budget counts to the very end of its minute, whatever the fractions of the clock', () => {
  for (let i = 0; i < 1_000; i++) {
    const at = 478_928.94 + i / 7
    const state = fleet({ launchesPerMinute: 1, sessions: 2 })
    up(state, 'here', at)
    const again = planAgainAt(state, at)
    forget(state, again)
    assert.is(launched(state, again).length, 1)
  }
})

test('a region that fails is set aside for twice as long each time, with jitter, and the others carry on', () => {
  const state = fleet()
  const waits: number[] = []
  let now = 0
  for (const random of [0, 0.5, 0.999, 0, 0.5, 0, 0, 0, 0]) {
    launching(state, 'x', 'here', now)
    waits.push(Math.round(ended(state, 'x', now, () => random)))
    forget(state, now)
    assert.equal(launched(state, now), ['there'])
    now = state.regions.get('here')!.retryAt
  }
  assert.equal(waits, [500, 2_000, 5_996, 4_000, 16_000, 16_000, 30_000, 30_000, 30_000])
  const { retryAt } = state.regions.get('here')!
  state.regions.get('there')!.retryAt = retryAt + 1
  assert.equal(launched(state, retryAt - 1), [])
  assert.is(planAgainAt({ ...state, launches: [] }, retryAt - 1), retryAt)
  forget(state, retryAt)
  assert.equal(launched({ ...state, launches: [] }, retryAt), ['here'])
})

test('launches of one region that fail together are one failure', () => {
  const state = fleet({ sessions: 3 }, ['here'])
  for (const id of ['a', 'b', 'c']) launching(state, id, 'here', 0)
  assert.is(
    ended(state, 'a', 100, () => 0.5),
    1_000,
  )
  assert.is(
    ended(state, 'b', 400, () => 0.5),
    700,
  )
  assert.is(
    ended(state, 'c', 1_100, () => 0.5),
    2_000,
    'a later one is another',
  )
})

test('an exit that dies young counts as a failure, and one that has lasted makes earlier ones forgotten', () => {
  const state = fleet()
  const region = state.regions.get('here')!
  const die = (exit: ExitState, now: number) => ended(state, exit.id, now, () => 0.5)
  assert.is(die(up(state, 'here', 0), 9_999), 1_000)
  assert.is(die(up(state, 'here', 20_000), 21_000), 2_000)
  assert.is(region.failures, 2)
  const lasting = up(state, 'here', 30_000)
  launching(state, 'x', 'here', 50_000)
  assert.is(
    ended(state, 'x', 51_000, () => 0.5),
    1_000,
    'there is an exit that shows that the region works',
  )
  launching(state, 'y', 'here', 53_000)
  assert.is(
    ended(state, 'y', 54_000, () => 0.5),
    2_000,
    'what it showed is out of date',
  )
  assert.is(die(lasting, 60_000), 0)
  assert.is(region.failures, 2)
  assert.is(die(up(state, 'here', 70_000), 80_000), 0)
  assert.is(region.failures, 0)
})

test('an exit that was retired and ends is no failure, however young', () => {
  const state = fleet()
  const exit = up(state, 'here', 0)
  draining(state, exit.id, 1_000)
  assert.is(ended(state, exit.id, 2_000, Math.random), 0)
  assert.is(state.regions.get('here')!.failures, 0)
})

test('an exit has one phase at a time, and goes through them in order', () => {
  const state = fleet()
  launching(state, 'a', 'here', 0)
  draining(state, 'a', 1)
  assert.is(state.exits.get('a')!.phase, 'launching')
  ready(state, 'a', 600_000, 2)
  draining(state, 'a', 3)
  ready(state, 'a', 900_000, 4)
  assert.is(state.exits.get('a')!.phase, 'draining')
  assert.is(state.exits.get('a')!.deadline, 600_000)
  ended(state, 'a', 5, Math.random)
  ready(state, 'a', 600_000, 6)
  assert.is(state.exits.size, 0)
})

test('while its replacement is throttled, an exit serves to its last seconds, and no longer than it is needed', () => {
  const state = fleet({}, ['here'])
  const old = up(state, 'here', 0)
  const request = { host: 'example.com' }
  const selected = (now: number) => createSelector('sticky').select(state, request, now)
  const end = old.deadline
  // Each launch of the last 30 s is throttled.
  for (let now = end - 30_000; now < end - 11_000; now += 1_000) {
    forget(state, now)
    for (const region of launched(state, now)) {
      launching(state, `throttled-${now}`, region, now)
      ended(state, `throttled-${now}`, now, () => 0.5)
    }
  }
  assert.equal(retired(state, end - 10_000), [old.id])
  draining(state, old.id, end - 10_000)
  // Idle for long, and yet it is there.
  assert.equal(
    plan(state, end - 5_000).filter(({ type }) => type === 'close'),
    [],
  )
  assert.is(selected(end - 5_000), old)
  assert.is(selected(end - 2_501), old)
  assert.is(selected(end - 2_500), undefined)
  const next = up(state, 'here', end - 5_000)
  assert.is(selected(end - 4_000), next)
  assert.equal(
    plan(state, end - 4_000).filter(({ type }) => type === 'close'),
    [{ type: 'close', id: old.id }],
  )
})

test('without a connection for the idle time the exits are let go, and nothing is launched until one asks', () => {
  const state = fleet({ idleMs: 60_000, rotateMs: 50_000 }, ['here'])
  const exit = up(state, 'here', 1_000)
  assert.is(state.usedAt, 1_000, 'the first exit is found by whoever started the proxy')
  loaded(state, exit.id, 1, 20_000)
  loaded(state, exit.id, 0, 30_000)
  assert.equal(plan(state, 89_999), [{ type: 'launch', region: 'here' }], 'a rotation, so far')
  assert.equal(plan(state, 90_000), [{ type: 'drain', id: exit.id }])
  draining(state, exit.id, 90_000)
  assert.equal(plan(state, 90_000), [{ type: 'close', id: exit.id }], 'nothing can be on its way any more')
  state.exits.delete(exit.id)
  assert.equal(plan(state, 10_000_000), [])
  assert.is(planAgainAt(state, 10_000_000), Number.POSITIVE_INFINITY)
  assert.ok(ask(state, undefined, 10_000_000), 'the plan is to be made anew')
  assert.equal(plan(state, 10_000_000), [{ type: 'launch', region: 'here' }])
  assert.not(ask(state, undefined, 10_000_000))
})

test('an exit is let go only while the next one could be launched at once', () => {
  const state = fleet({ idleMs: 10_000, launchesPerMinute: 1 }, ['here'])
  const exit = up(state, 'here', 0)
  assert.ok(isIdle(state, 10_000))
  assert.equal(plan(state, 10_000), [], 'the only launch of this minute is used up')
  assert.is(planAgainAt(state, 10_000), 60_000)
  forget(state, 60_000)
  state.regions.get('here')!.retryAt = 70_000
  assert.equal(plan(state, 60_000), [], 'the region is set aside')
  assert.equal(plan(state, 70_000), [{ type: 'drain', id: exit.id }])
})

test('a region that was asked for before the sleep is not woken by a connection that does not care', () => {
  const state = fleet({ idleMs: 10_000 })
  ask(state, 'there', 0)
  ask(state, undefined, 20_000)
  assert.equal(plan(state, 20_000), [{ type: 'launch', region: 'here' }])
})

test.run()
