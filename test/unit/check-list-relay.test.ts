import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Candidate } from '../../tunnel/nat/ice/candidate.ts'
import { CheckList, maxChecks, relayAfterMs, searchMs } from '../../tunnel/nat/ice/check-list.ts'
import { newIceCredentials } from '../../tunnel/nat/ice/credentials.ts'
import { type Route, relayVia } from '../../tunnel/nat/ice/route.ts'
import type { Endpoint } from '../../tunnel/net/endpoint.ts'
import { seeded } from '../support/random.ts'

// Two check lists, a TURN server that lends the client an address, and a direct path that is there or not, on a clock
// of our own.

const test = suite('connectivity checks by a relay')

type Side = 'client' | 'function'
const client: Candidate = { address: '192.0.2.1', port: 1_000, kind: 'server-reflexive' }
const exit: Candidate = { address: '198.51.100.1', port: 2_000, kind: 'server-reflexive' }
const relay: Candidate = { address: '203.0.113.1', port: 3_000, kind: 'relayed' }
const latencyMs = 20

interface World {
  lists: Record<Side, CheckList>
  /** Whether packets pass between the two without the relay. */
  direct: boolean
  sent: { side: Side; byRelay: boolean; at: number }[]
  /** Runs to this time, or until it is true. */
  run(untilMs: number, done?: () => boolean): number
}

function world(options: { relayOnly?: boolean; direct?: boolean; loss?: number; seed?: number } = {}): World {
  const { relayOnly = false, direct = true, loss = 0, seed = 1 } = options
  const random = seeded(seed)
  const [local, remote] = [newIceCredentials(), newIceCredentials()]
  const candidates = relayOnly ? [relay] : [client, relay]
  const lists = {
    client: new CheckList(
      { local, remote, candidates: [exit], controlling: true, hasRelay: true, relayOnly },
      0,
    ),
    function: new CheckList({ local: remote, remote: local, candidates, controlling: false }, 0),
  }
  let now = 0
  let flying: { at: number; to: Side; datagram: Uint8Array; from: Endpoint; via: number }[] = []
  const same = (a: Endpoint, b: Endpoint) => a.address === b.address && a.port === b.port
  const at = ({ address, port }: Endpoint) => ({ address, port })
  const send = (side: Side, datagram: Uint8Array, to: Route) => {
    const byRelay = side === 'client' ? to.via === relayVia : same(to, relay)
    world.sent.push({ side, byRelay, at: now })
    if ((!byRelay && !world.direct) || random.chance(loss)) return
    const [receiver, from] =
      side === 'client' ? (['function', byRelay ? relay : client] as const) : (['client', exit] as const)
    if (side === 'client' && !same(to, exit)) return
    const via = side === 'function' && byRelay ? relayVia : 0
    flying.push({ at: now + latencyMs, to: receiver, datagram, from: at(from), via })
  }
  const step = () => {
    const due = flying.filter(each => each.at <= now)
    flying = flying.filter(each => each.at > now)
    for (const { to, datagram, from, via } of due)
      for (const out of lists[to].receive(datagram, from, now, via)) send(to, out.datagram, out.to)
    for (const side of ['client', 'function'] as const)
      for (const out of lists[side].poll(now)) send(side, out.datagram, out.to)
  }
  const world: World = {
    lists,
    direct,
    sent: [],
    run(untilMs, done = () => false) {
      while (now < untilMs && !done()) {
        step()
        if (done()) break
        const next = Math.min(lists.client.nextAt(), lists.function.nextAt(), ...flying.map(each => each.at))
        now = Math.min(untilMs, Math.max(next, now + 1))
      }
      return now
    },
  }
  return world
}

const kinds = ({ lists }: World) => [lists.client.nominated?.kind, lists.function.nominated?.kind]
const agreed = (world: World, isDirect: boolean) => () =>
  kinds(world).every(kind => kind !== undefined && (kind !== 'relayed') === isDirect)

test('a direct pair is nominated as fast as without a relay, and nothing else after it', () => {
  const both = world()
  assert.ok(both.run(10_000, agreed(both, true)) < 200)
  assert.equal(kinds(both), ['server-reflexive', 'server-reflexive'])
  both.direct = false
  both.run(60_000)
  assert.equal(kinds(both), ['server-reflexive', 'server-reflexive'])
})

test('where there is none in a second the relayed one is, at both ends', () => {
  const both = world({ direct: false })
  const ms = both.run(10_000, agreed(both, false))
  assert.ok(ms >= relayAfterMs && ms < relayAfterMs + 300, `${ms} ms`)
  // Each end sees the other at the address that it has.
  assert.equal(both.lists.client.nominated, {
    address: exit.address,
    port: exit.port,
    via: relayVia,
    kind: 'relayed',
    seenAs: { address: relay.address, port: relay.port },
  })
  assert.equal(both.lists.function.nominated, {
    ...relay,
    via: 0,
    seenAs: { address: exit.address, port: exit.port },
  })
})

for (const [when, upAt, within] of [
  ['while it is looked for with vigour', 3_000, 300],
  ['a minute later', 60_000, 11_000],
  ['ten minutes later', 600_000, 11_000],
] as const)
  test(`a direct pair that comes up ${when} takes the relayed one's place at both ends`, () => {
    const both = world({ direct: false })
    both.run(upAt)
    assert.equal(kinds(both), ['relayed', 'relayed'])
    const before = both.sent.length
    both.direct = true
    const ms = both.run(upAt + 60_000, agreed(both, true)) - upAt
    assert.ok(ms <= within, `${ms} ms`)
    both.run(upAt + 120_000)
    assert.equal(kinds(both), ['server-reflexive', 'server-reflexive'])
    assert.ok(both.sent.length - before < 100, `${both.sent.length - before} checks`)
  })

test('where packets are lost one end does not move seconds before the other', () => {
  for (let seed = 1; seed <= 40; seed++) {
    const both = world({ direct: false, loss: 0.4, seed })
    both.run(60_000)
    if (kinds(both).some(kind => kind !== 'relayed')) continue
    both.direct = true
    const isDirect = (side: Side) => both.lists[side].nominated?.kind === 'server-reflexive'
    const first = both.run(300_000, () => isDirect('client') || isDirect('function'))
    const second = both.run(300_000, agreed(both, true))
    assert.ok(second - first < 1_500, `${second - first} ms with seed ${seed}`)
  }
})

test('what looks for a direct pair costs little: so many checks at first, and two in five seconds then', () => {
  const both = world({ direct: false })
  both.run(900_000)
  for (const side of ['client', 'function'] as const) {
    const late = both.sent.filter(each => each.side === side && each.at > searchMs + 5_000)
    assert.ok(late.every(each => !each.byRelay))
    assert.ok(late.length < 2 * 180, `the ${side} sent ${late.length} checks`)
    assert.ok(both.lists[side].stats.checksSent < maxChecks)
  }
})

test('by a relay alone: at once, and neither end sends to the other directly', () => {
  const both = world({ relayOnly: true })
  assert.ok(both.run(10_000, agreed(both, false)) < 300)
  both.run(60_000)
  assert.equal(kinds(both), ['relayed', 'relayed'])
  assert.ok(both.sent.every(each => each.byRelay))
  assert.is(both.lists.client.nextAt(), Number.POSITIVE_INFINITY)
})

test('by a relay alone no direct check is answered, though it is authentic', () => {
  const both = world({ relayOnly: true })
  const [check] = both.lists.function.poll(0)
  assert.equal(both.lists.client.receive(check!.datagram, exit, 0, 0), [])
  assert.is(both.lists.client.stats.peerReflexive, 0)
  assert.ok(both.lists.client.receive(check!.datagram, exit, 0, relayVia).length > 0)
})

test('with half of the packets lost and a path that comes and goes both ends agree, a hundred times', () => {
  for (let seed = 0; seed < 100; seed++) {
    const both = world({ direct: false, loss: 0.5, seed })
    both.run(1_500 + seed * 20)
    both.direct = true
    both.run(100 + seed * 10)
    both.run(120_000, agreed(both, true))
    assert.ok(agreed(both, true)(), `seed ${seed}: ${kinds(both)}`)
  }
})

test.run()
