import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { overBudget, plan, planAgainAt } from '../../cli/client/fleet/plan.ts'
import { createSelector } from '../../cli/client/fleet/select.ts'
import { draining, type ExitState, ended, forget, launching } from '../../cli/client/fleet/state.ts'
import { fleet, launched, retired, up } from '../support/fleet-state.ts'

const test = suite('The plan of the fleet when launches are few or fail')

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

test.run()
