import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  askFresh,
  cameUpFresh,
  forgetFresh,
  freshChangesAt,
  isFresh,
  newFreshness,
  sawAddress,
} from '../../cli/client/fleet/freshness.ts'
import { plan } from '../../cli/client/fleet/plan.ts'
import { createSelector } from '../../cli/client/fleet/select.ts'
import {
  defaultFleetSettings,
  type FleetSettings,
  type FleetState,
  launching,
  newFleetState,
  ready,
  took,
} from '../../cli/client/fleet/state.ts'

const test = suite('Fresh exits')

const fleet = (settings: Partial<FleetSettings> = {}) =>
  newFleetState({ ...defaultFleetSettings, fresh: true, ...settings }, ['here'])

const up = (state: FleetState, id: string, address = `address of ${id}`) => {
  launching(state, id, 'here', 0)
  ready(state, id, 600_000, 0, address)
  return state.exits.get(id)!
}

const launches = (state: FleetState, now = 0) =>
  plan(state, now).filter(({ type }) => type === 'launch').length

test('a site gets neither an exit that it has seen nor another at its address', () => {
  const state = fleet()
  const selector = createSelector('fresh')
  const select = (host: string) => selector.select(state, { host }, 0)?.id
  const first = up(state, 'first', '192.0.2.1')
  assert.is(select('www.example.com'), 'first')
  took(state, first, 'example.com')
  assert.is(select('www.example.com'), undefined)
  assert.is(select('www.example.org'), 'first', 'another site has not seen it')
  up(state, 'alike', '192.0.2.1')
  assert.is(select('example.com'), undefined)
  up(state, 'other', '192.0.2.2')
  assert.is(select('example.com'), 'other')
})

test('exits are kept ahead for the sites that are asked for, and one is launched for each that waits', () => {
  const state = fleet({ launchesPerMinute: 100 })
  const exit = up(state, 'first')
  const demand = askFresh(state.freshness, { site: 'example.com', region: undefined }, 0)
  assert.is(launches(state), 0, 'it has not seen the one that is up')
  took(state, exit, 'example.com')
  assert.is(launches(state), 1, 'the next one')
  demand.waiting = 3
  assert.is(launches(state), 4)
  for (const id of ['a', 'b', 'c']) launching(state, id, 'here', 0)
  assert.is(launches(state), 1)
  forgetFresh(state.freshness, 60_000)
  assert.is(launches(state, 60_000), 1, 'a connection still waits')
  demand.waiting = 0
  forgetFresh(state.freshness, 60_000)
  assert.is(launches(state, 60_000), 0, 'nobody asks any more')
})

test('an exit that a site may still need is kept, and let go when nobody asks for the site any more', () => {
  const state = fleet()
  const first = up(state, 'first')
  took(state, first, 'example.com')
  askFresh(state.freshness, { site: 'example.com', region: undefined }, 0)
  launching(state, 'ahead', 'here', 0, true)
  ready(state, 'ahead', 600_000, 0, 'address of ahead')
  assert.equal(plan(state, 1_000), [])
  assert.equal(freshChangesAt(state.freshness), [60_000])
  forgetFresh(state.freshness, 60_000)
  assert.equal(plan(state, 60_000), [{ type: 'drain', id: 'ahead' }])
})

test('where launches bring no other addresses, another exit is enough, until one does', () => {
  const freshness = newFreshness()
  const place = (address: string) => ({ region: 'here', address, sites: new Set<string>() })
  askFresh(freshness, { site: 'example.com', region: undefined }, 0)
  sawAddress(freshness, 'example.com', '192.0.2.1')
  assert.equal(cameUpFresh(freshness, place('192.0.2.1')), [])
  assert.equal(cameUpFresh(freshness, place('192.0.2.1')), [])
  assert.not(isFresh(freshness, place('192.0.2.1'), 'example.com'))
  assert.equal(cameUpFresh(freshness, place('192.0.2.1')), ['example.com'])
  assert.ok(isFresh(freshness, place('192.0.2.1'), 'example.com'))
  const served = { ...place('192.0.2.1'), sites: new Set(['example.com']) }
  assert.not(isFresh(freshness, served, 'example.com'), 'the very exit that it has seen')
  assert.equal(cameUpFresh(freshness, place('192.0.2.1')), [], 'it is told once')
  assert.equal(cameUpFresh(freshness, place('192.0.2.2')), [])
  assert.not(isFresh(freshness, place('192.0.2.1'), 'example.com'))
})

test('after as many connections as it may take, an exit takes no more and another is launched', () => {
  const state = fleet({ fresh: false, connectionsPerExit: 2 })
  const exit = up(state, 'first')
  assert.not(took(state, exit, 'example.com'))
  assert.is(launches(state), 0)
  assert.ok(took(state, exit, 'example.com'), 'the plan is to be made anew')
  assert.equal(plan(state, 0), [
    { type: 'launch', region: 'here' },
    { type: 'drain', id: 'first' },
  ])
})

test('however many sites and addresses there are, so much is remembered', () => {
  const freshness = newFreshness()
  for (let i = 0; i < 3_000; i++) {
    askFresh(freshness, { site: `site ${i}`, region: undefined }, 0)
    sawAddress(freshness, `site ${i}`, '192.0.2.1')
    sawAddress(freshness, 'one', `address ${i}`)
  }
  assert.is(freshness.demands.size, 200)
  assert.is(freshness.seen.size, 1_000)
  assert.is(freshness.seen.get('one')!.addresses.size, 256)
})

test.run()
