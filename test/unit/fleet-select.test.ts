import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { NoExitError } from '../../cli/client/fleet/exits.ts'
import { regionFor } from '../../cli/client/fleet/regions.ts'
import { createSelector, parseLoginParams } from '../../cli/client/fleet/select.ts'
import {
  defaultFleetSettings,
  draining,
  type ExitState,
  type FleetState,
  launching,
  newFleetState,
  ready,
} from '../../cli/client/fleet/state.ts'
import { seeded } from '../support/random.ts'

const test = suite('The choice of an exit')

/** A fleet with exits a, b, c, … in these regions, up one after another. */
function fleet(regions: string[], sessions = regions.length): FleetState {
  const settings = {
    sessions,
    standby: 0,
    rotateMs: Number.POSITIVE_INFINITY,
    idleMs: Number.POSITIVE_INFINITY,
    distinct: false,
    fresh: false,
    connectionsPerExit: Number.POSITIVE_INFINITY,
    launchesPerMinute: 20,
  }
  const state = newFleetState(settings, [...new Set(regions)])
  for (const [i, region] of regions.entries()) {
    const id = String.fromCharCode(97 + i)
    launching(state, id, region, i)
    ready(state, id, 600_000, i)
  }
  return state
}

const now = 1_000
const exit = (state: FleetState, id: string): ExitState => state.exits.get(id)!
/** Chooses for these hosts in turn, each connection staying open. */
function spread(
  selector: ReturnType<typeof createSelector>,
  state: FleetState,
  hosts: string[],
  user?: string,
) {
  return hosts.map(host => {
    const selected = selector.select(state, { host, user }, now)
    if (selected) selected.connections++
    return selected?.id ?? 'none'
  })
}
const hosts = (count: number) => Array.from({ length: count }, (_, i) => `host${i}.example${i}.com`)

test('sticky: a site keeps its exit, by registered domain, and sites are spread', () => {
  const state = fleet(['one', 'two', 'three'])
  const selector = createSelector('sticky')
  const [first, ...others] = spread(selector, state, [
    'www.shop.co.uk',
    'login.shop.co.uk',
    'shop.co.uk',
    'img.cdn.shop.co.uk',
  ])
  assert.equal(others, [first, first, first])
  const [elsewhere] = spread(selector, state, ['bank.co.uk'])
  assert.is.not(elsewhere, first, 'a public suffix is no site')
  assert.equal(new Set(spread(selector, state, hosts(9))).size, 3)
  assert.equal(spread(selector, state, ['www.shop.co.uk']), [first])
})

test('sticky: an address stands for itself', () => {
  const state = fleet(['one', 'two'])
  const selector = createSelector('sticky')
  assert.equal(spread(selector, state, ['192.0.2.1', '192.0.2.2', '192.0.2.1', '::1', '192.0.2.2']), [
    'a',
    'b',
    'a',
    'b',
    'b',
  ])
})

test('sticky: when its exit is retired, silent or gone, a site moves and stays there', () => {
  const state = fleet(['one', 'two'])
  const selector = createSelector('sticky')
  const [first] = spread(selector, state, ['example.org'])
  assert.is(first, 'a')
  exit(state, 'a').silent = true
  assert.equal(spread(selector, state, ['example.org']), ['b'])
  exit(state, 'a').silent = false
  assert.equal(spread(selector, state, ['example.org']), ['b'])
  draining(state, 'b', now)
  assert.equal(spread(selector, state, ['example.org']), ['a'])
})

test('round-robin: each in turn', () => {
  const state = fleet(['one', 'two', 'three'])
  assert.is(spread(createSelector('round-robin'), state, hosts(7)).join(''), 'abcabca')
})

test('least-loaded: where the fewest connections are', () => {
  const state = fleet(['one', 'two', 'three'])
  exit(state, 'a').connections = 5
  exit(state, 'b').connections = 2
  assert.is(spread(createSelector('least-loaded'), state, hosts(7)).join(''), 'ccbcbcb')
})

test('random: all of them, about as often', () => {
  const state = fleet(['one', 'two', 'three'])
  const { int } = seeded(1)
  const selected = spread(
    createSelector('random', () => int(1e6) / 1e6),
    state,
    hosts(300),
  )
  for (const id of ['a', 'b', 'c']) {
    const share = selected.filter(one => one === id).length
    assert.ok(share > 70 && share < 130, `${id}: ${share}`)
  }
})

test('a user name asks for a region, a sticky key, both or neither', () => {
  assert.equal(parseLoginParams(undefined), { region: undefined, stickyKey: undefined })
  assert.equal(parseLoginParams('alice'), { region: undefined, stickyKey: undefined })
  assert.equal(parseLoginParams('region-eu-west-1'), { region: 'eu-west-1', stickyKey: undefined })
  assert.equal(parseLoginParams('session-abc'), { region: undefined, stickyKey: 'abc' })
  assert.equal(parseLoginParams('alice-region-us-gov-west-1-session-a1_B'), {
    region: 'us-gov-west-1',
    stickyKey: 'a1_B',
  })
  assert.equal(parseLoginParams('session-abc-region-ap-southeast-2'), {
    region: 'ap-southeast-2',
    stickyKey: 'abc',
  })
  assert.is(parseLoginParams('preregion-x').region, undefined)
})

test('a region that is written wrongly is refused, not passed over: no other one is meant', () => {
  for (const [user, asked] of [
    ['region-us-east1', 'us-east1'],
    ['alice-region-US-EAST-1', 'US-EAST-1'],
    ['alice-region-us_east_1-session-a', 'us_east_1'],
    ['session-a-region-us', 'us'],
    ['region-', ''],
  ] as const) {
    const { region } = parseLoginParams(user)
    assert.is(region, asked, user)
    assert.throws(
      () => regionFor(newFleetState(defaultFleetSettings, ['us-east-1']), { host: 'x', user }, now),
      (error: unknown) => error instanceof NoExitError && error.code === 'E_REGION_NOT_DEPLOYED',
      user,
    )
  }
  // What follows it may be a parameter of other proxies.
  assert.is(parseLoginParams('alice-region-us-east-1-lifetime-10').region, 'us-east-1')
})

test('region-…: only exits of that region, whatever the policy; none when there is none', () => {
  const state = fleet(['eu-west-1', 'us-east-1', 'us-east-1'])
  for (const policy of ['sticky', 'round-robin', 'least-loaded', 'random'] as const) {
    const selector = createSelector(policy)
    assert.ok(spread(selector, state, hosts(4), 'region-eu-west-1').every(id => id === 'a'))
    assert.ok(spread(selector, state, hosts(4), 'region-us-east-1').every(id => id !== 'a'))
    assert.equal(spread(selector, state, ['x.org'], 'region-ap-south-1'), ['none'])
  }
})

test('session-…: the same name keeps the same exit whatever the site and the policy', () => {
  const state = fleet(['one', 'two', 'three'])
  const selector = createSelector('round-robin')
  const first = new Set(spread(selector, state, hosts(5), 'session-first'))
  const second = new Set(spread(selector, state, hosts(5), 'session-second'))
  assert.is(first.size, 1)
  assert.is(second.size, 1)
  assert.not.equal([...first], [...second])
})

test('a standby is not used while enough others are there', () => {
  const state = fleet(['one', 'two', 'three'], 2)
  for (const policy of ['sticky', 'round-robin', 'least-loaded', 'random'] as const)
    assert.not(spread(createSelector(policy), state, hosts(20)).includes('c'), policy)
  exit(state, 'a').silent = true
  assert.ok(spread(createSelector('round-robin'), state, hosts(4)).includes('c'))
})

test('an exit that is to be replaced is used only while too few others are there', () => {
  const state = fleet(['one', 'two'], 1)
  exit(state, 'a').retired = true
  assert.equal(spread(createSelector('sticky'), state, hosts(3)), ['b', 'b', 'b'])
  exit(state, 'b').silent = true
  assert.equal(spread(createSelector('sticky'), state, hosts(3)), ['a', 'a', 'a'])
})

test('nothing is selected while nothing can be used', () => {
  for (const policy of ['sticky', 'round-robin', 'least-loaded', 'random'] as const) {
    const state = fleet(['one'])
    exit(state, 'a').silent = true
    assert.equal(spread(createSelector(policy), state, ['x.org']), ['none'], policy)
    exit(state, 'a').silent = false
    assert.equal(spread(createSelector(policy), state, ['x.org']), ['a'], policy)
  }
})

test('a login that may use some regions gets exits of those alone, and keeps them', () => {
  const state = fleet(['eu-west-1', 'us-east-1', 'us-east-1', 'ap-south-1'])
  for (const policy of ['sticky', 'round-robin', 'least-loaded', 'random'] as const) {
    const selector = createSelector(policy)
    const select = (regions?: string[], user?: string) =>
      selector.select(state, { host: 'a.example.com', regions, user }, now)?.region
    for (let i = 0; i < 20; i++) {
      assert.is(select(['eu-west-1']), 'eu-west-1')
      assert.ok(['us-east-1', 'ap-south-1'].includes(select(['us-east-1', 'ap-south-1'])!))
      assert.is(select(['us-east-1'], 'alice-session-x'), 'us-east-1')
      assert.is(select(['sa-east-1']), undefined)
    }
  }
  // Two logins of other regions do not take the exit of a site from each other.
  const selector = createSelector('sticky')
  const id = (regions: string[]) => selector.select(state, { host: 'b.example.com', regions }, now)?.id
  const first = id(['us-east-1'])
  exit(state, first!).connections = 5
  id(['eu-west-1'])
  assert.is(id(['us-east-1']), first)
})

test('the region that is to have an exit for a login is one that has one, and of those that are deployed', () => {
  const state = newFleetState({ ...defaultFleetSettings }, ['eu-west-1', 'us-east-1', 'ap-south-1'])
  const region = (regions?: readonly string[], user?: string) =>
    regionFor(state, { host: 'x', regions, user }, now)
  assert.is(region(), undefined)
  assert.is(region(undefined, 'region-us-east-1'), 'us-east-1')
  assert.is(region(['us-east-1', 'ap-south-1']), 'us-east-1')
  launching(state, 'a', 'ap-south-1', 0)
  assert.is(region(['us-east-1', 'ap-south-1']), 'ap-south-1')
  assert.is(region(['us-east-1', 'ap-south-1'], 'alice-region-us-east-1'), 'us-east-1')
  assert.is(region(['nowhere-1', 'eu-west-1']), 'eu-west-1')
  for (const [regions, user, code] of [
    [['us-east-1'], 'alice-region-eu-west-1', 'E_REGION_NOT_ALLOWED'],
    [['nowhere-1'], 'alice', 'E_REGION_NOT_DEPLOYED'],
    [undefined, 'region-nowhere-1', 'E_REGION_NOT_DEPLOYED'],
  ] as const)
    assert.throws(
      () => region(regions, user),
      (error: unknown) => error instanceof NoExitError && error.code === code,
    )
})

test.run()
