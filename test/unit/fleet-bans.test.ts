import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { askForSite, ban, banMs, cameUp, mayServe, siteDemandMs } from '../../cli/client/fleet/bans.ts'
import { plan } from '../../cli/client/fleet/plan.ts'
import { fleetRequests, RequestError, type RequestErrorCode } from '../../cli/client/fleet/requests.ts'
import { createSelector } from '../../cli/client/fleet/select.ts'
import { siteOf } from '../../cli/client/fleet/sites.ts'
import {
  defaultFleetSettings,
  type ExitState,
  type FleetState,
  forget,
  launching,
  newFleetState,
  ready,
} from '../../cli/client/fleet/state.ts'
import { createEvents } from '../../cli/client/stats/events.ts'

const test = suite('Bans')

const fleet = (sessions = 1) => newFleetState({ ...defaultFleetSettings, sessions }, ['here', 'there'])

let count = 0
function up(state: FleetState, address: string, at = 0, extra = false): ExitState {
  const id = `e${++count}`
  launching(state, id, 'here', at, extra)
  ready(state, id, at + 600_000, at, address)
  return state.exits.get(id)!
}

function requests(state: FleetState) {
  return fleetRequests({ state, events: createEvents(), replan() {} })
}

test('a ban is of an address for a site; its other sites keep the exit, and one is launched for it', () => {
  const state = fleet()
  const exit = up(state, '192.0.2.1')
  ban(state.bans, 'example.com', '192.0.2.1', 0)
  assert.is(mayServe(state.bans, exit, 'example.com'), false)
  assert.is(mayServe(state.bans, exit, 'example.org'), true)
  assert.equal(plan(state, 0), [], 'nobody asks for it')
  assert.is(askForSite(state.bans, { site: 'example.org', region: undefined }, 0), false)
  assert.is(askForSite(state.bans, { site: 'example.com', region: undefined }, 0), true)
  assert.equal(plan(state, 0), [{ type: 'launch', region: 'there', extra: true }])

  const other = up(state, '192.0.2.2', 1_000, true)
  assert.equal(plan(state, 1_000), [])
  const selector = createSelector('least-loaded')
  assert.is(selector.select(state, { host: 'www.example.com' }, 1_000), other)
  exit.connections = 100
  assert.is(selector.select(state, { host: 'example.org' }, 1_000), exit)
  // Nobody has asked for it for five minutes: its exit goes, and the others' stays.
  forget(state, siteDemandMs)
  assert.equal(plan(state, siteDemandMs), [{ type: 'drain', id: other.id }])
})

test('a login with a sticky key keeps its exit for all sites but the one that banned it', () => {
  const state = fleet(2)
  const [first, second] = [up(state, '192.0.2.1'), up(state, '192.0.2.2')]
  const selector = createSelector('sticky')
  const select = (host: string) => selector.select(state, { host, user: 'session-a' }, 0)
  const kept = select('example.com')!
  const other = kept === first ? second : first
  ban(state.bans, 'example.com', kept.address!, 0)
  assert.is(select('example.com'), other)
  assert.is(select('example.org'), kept)
  assert.is(select('www.example.com'), other)
})

test('a ban is forgotten after an hour', () => {
  const state = fleet()
  const exit = up(state, '192.0.2.1')
  ban(state.bans, 'example.com', '192.0.2.1', 0)
  forget(state, banMs - 1)
  assert.is(mayServe(state.bans, exit, 'example.com'), false)
  forget(state, banMs)
  assert.is(mayServe(state.bans, exit, 'example.com'), true)
})

test('bans are lifted when three exits in a row come up at banned addresses', () => {
  const state = fleet()
  ban(state.bans, 'example.com', '192.0.2.1', 0)
  assert.equal(cameUp(state.bans, up(state, '192.0.2.1')), [], 'nobody asks for it')
  askForSite(state.bans, { site: 'example.com', region: undefined }, 0)
  askForSite(state.bans, { site: 'example.com', region: 'here' }, 0)
  assert.equal(cameUp(state.bans, up(state, '192.0.2.1')), [])
  assert.equal(cameUp(state.bans, up(state, '192.0.2.2')), [], 'another address')
  for (let i = 0; i < 2; i++) assert.equal(cameUp(state.bans, up(state, '192.0.2.1')), [])
  ban(state.bans, 'example.com', '192.0.2.2', 0)
  for (let i = 0; i < 2; i++)
    assert.equal(cameUp(state.bans, up(state, '192.0.2.1')), [], 'counted anew with each ban')
  assert.equal(cameUp(state.bans, up(state, '192.0.2.1')), ['example.com'])
  assert.is(state.bans.sites.size, 0)
  assert.is(state.bans.demands.size, 0)
})

test('sites and addresses that are remembered are bounded', () => {
  const { bans } = fleet()
  for (let i = 0; i < 2_000; i++) {
    ban(bans, `site${i}.example`, '192.0.2.1', i)
    askForSite(bans, { site: `site${i}.example`, region: undefined }, i)
  }
  assert.is(bans.sites.size, 1_000)
  assert.is(bans.demands.size, 1_000)
  for (let i = 0; i < 100; i++) ban(bans, 'site1999.example', `192.0.2.${i}`, i)
  assert.is(bans.sites.get('site1999.example')!.size, 32)
})

test('what is asked of the fleet is done, or refused with what could be asked', () => {
  const state = fleet(2)
  const { rotate, ban, note, bans } = requests(state)
  const refused = (work: () => unknown, code: RequestErrorCode, hint: RegExp) => {
    try {
      work()
    } catch (error) {
      assert.instance(error, RequestError)
      assert.is((error as RequestError).code, code)
      assert.match((error as RequestError).hint ?? '', hint)
      return
    }
    assert.unreachable(code)
  }
  refused(() => rotate({ exit: 'x' }), 'E_EXIT_NOT_FOUND', /No exit is active/)
  const [first, second] = [up(state, '192.0.2.1'), up(state, '192.0.2.2')]
  refused(() => rotate({ exit: 'x' }), 'E_EXIT_NOT_FOUND', new RegExp(`${first.id} \\(192\\.0\\.2\\.1\\)`))
  launching(state, 'new', 'here', 0)
  refused(() => rotate({ exit: 'new' }), 'E_EXIT_NOT_ACTIVE', /Active are/)
  refused(() => rotate({ region: 'nowhere' }), 'E_REGION_NOT_DEPLOYED', /here, there/)
  refused(() => ban('example.com'), 'E_SITE_NOT_SERVED', /example\.com/)
  for (const none of ['a b', '', 'http://', '[::1', '::1/64'])
    refused(() => ban(none), 'E_SITE_INVALID', /example\.com/)
  note(siteOf('www.example.com'), undefined, first)

  assert.equal(rotate({ exit: second.id }), [second.id])
  assert.is(second.retired, true)
  assert.equal(rotate({ region: 'there' }), [])
  assert.equal(rotate({ site: 'https://example.com/page' }), [first.id])
  assert.equal(rotate({ all: true }), [first.id, second.id])
  const banned = ban('https://api.EXAMPLE.com:8443/')
  assert.equal(banned, { site: 'example.com', session: first.id, address: '192.0.2.1', launching: false })
  assert.equal(bans(), [{ site: 'example.com', addresses: ['192.0.2.1'] }])
  // What a connection asked for need not be what a URL can say; it is the site that connections are told apart by.
  for (const host of ['a|b.invalid', '127.1']) {
    assert.is(ban(host, first.id).site, siteOf(host))
    assert.not(mayServe(state.bans, first, siteOf(host)))
  }
  // Clients name it as DNS does.
  note(siteOf('www.xn--bcher-kva.de'), undefined, first)
  note('2001:db8::1', undefined, first)
  for (const [written, site] of [
    ['Bücher.de', 'xn--bcher-kva.de'],
    ['2001:DB8::1', '2001:db8::1'],
    ['http://[2001:db8::1]:80/', '2001:db8::1'],
  ] as const)
    assert.is(ban(written).site, site)
  // An exit that is gone has its address banned all the same.
  state.exits.delete(first.id)
  note('example.org', undefined, second)
  state.exits.delete(second.id)
  assert.equal(ban('example.org').launching, true)
})

test('the exit that a ban asks for is in the region that the site was asked for from', () => {
  for (const isKnown of [false, true]) {
    const state = fleet()
    const exit = up(state, '192.0.2.1', performance.now())
    const { note, ban } = requests(state)
    note('example.com', 'there', exit)
    ban('example.com', isKnown ? exit.id : undefined)
    assert.equal(
      [...state.bans.demands.values()].map(({ site, region }) => [site, region]),
      [['example.com', 'there']],
    )
  }
})

test('a ban says that an exit is launched for it only where one is: not while nobody uses the proxy, or beyond the budget', () => {
  const used = fleet()
  const idle = fleet()
  idle.settings.idleMs = 1_000
  const broke = fleet()
  broke.spentAt = performance.now() - 1_000
  for (const [state, isLaunching] of [
    [used, true],
    [idle, false],
    [broke, false],
  ] as const) {
    const exit = up(state, '192.0.2.1', performance.now())
    state.usedAt = performance.now() - 2_000
    const { note, ban } = requests(state)
    note('example.com', undefined, exit)
    assert.is(ban('example.com').launching, isLaunching)
    const launches = plan(state, performance.now()).filter(({ type }) => type === 'launch')
    assert.is(launches.length, isLaunching ? 1 : 0)
  }
})

test.run()
