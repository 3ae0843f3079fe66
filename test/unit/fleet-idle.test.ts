import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { askForSite, ban } from '../../cli/client/fleet/bans.ts'
import { askFresh } from '../../cli/client/fleet/freshness.ts'
import { ask, awaited, isIdle, lookAt } from '../../cli/client/fleet/idle.ts'
import { plan, planAgainAt } from '../../cli/client/fleet/plan.ts'
import { draining, forget, loaded } from '../../cli/client/fleet/state.ts'
import { fleet, up } from '../support/fleet-state.ts'

const test = suite('The plan of an idle fleet')

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

test('a connection that waits keeps it awake, and counts until it has given up', () => {
  const state = fleet({ idleMs: 10_000 }, ['here'])
  awaited(state, 1, 5_000)
  assert.not(isIdle(state, 50_000))
  awaited(state, 0, 50_000)
  assert.not(isIdle(state, 59_999))
  assert.ok(isIdle(state, 60_000))
})

test('while it is in use the connections are counted ten times in the idle time, and every ten seconds', () => {
  for (const [idleMs, everyMs] of [
    [20_000, 2_000],
    [900_000, 10_000],
  ] as const) {
    const state = fleet({ idleMs }, ['here'])
    const exit = up(state, 'here', 0)
    loaded(state, exit.id, 1, 0)
    assert.is(lookAt(state, 5_000), 5_000 + everyMs)
    assert.is(lookAt(state, 950_000), 950_000 + everyMs)
  }
})

test('what sites asked for before the sleep is not kept up for them after it', () => {
  const state = fleet({ idleMs: 10_000 })
  ban(state.bans, 'example.com', '192.0.2.1', 0)
  askForSite(state.bans, { site: 'example.com', region: undefined }, 0)
  askFresh(state.freshness, { site: 'example.com', region: undefined }, 0)
  ask(state, undefined, 9_999)
  assert.equal([state.bans.demands.size, state.freshness.demands.size], [1, 1], 'it does not sleep yet')
  ask(state, undefined, 20_000)
  assert.equal([state.bans.demands.size, state.freshness.demands.size], [0, 0])
  assert.is(state.bans.sites.size, 1, 'the ban stays')
})

test.run()
