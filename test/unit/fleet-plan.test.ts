import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isAccepting, overBudget, plan, planAgainAt, replaceAt } from '../../cli/client/fleet/plan.ts'
import {
  draining,
  ended,
  forget,
  full,
  launching,
  loaded,
  ready,
  took,
} from '../../cli/client/fleet/state.ts'
import { fleet, launched, retired, up } from '../support/fleet-state.ts'

const test = suite('The plan of the fleet')

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

test('only so many exits are launched as those who wait need beyond the room that there is', () => {
  const state = fleet({ connectionsPerExit: 2 }, ['here'])
  state.waiting = 5
  const extra = { type: 'launch', region: 'here', extra: true }
  assert.equal(plan(state, 0), [{ type: 'launch', region: 'here' }, extra, extra])
  const exit = up(state, 'here', 0)
  state.waiting = 2
  assert.equal(plan(state, 1_000), [], 'it came up, and has room for both')
  took(state, exit, 'example.com')
  assert.equal(plan(state, 1_000), [extra])
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

test.run()
