import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { addUsage, costOf, type Usage, usageOf } from '../../cli/client/stats/cost.ts'
import { createEvents } from '../../cli/client/stats/events.ts'
import { createModel } from '../../cli/client/stats/model.ts'
import { pricesIn } from '../../cli/client/stats/prices.ts'
import type { ExitStatus } from '../../cli/client/stats/state.ts'

const test = suite('the cost')

const exit: ExitStatus = {
  session: 'a',
  region: 'us-east-1',
  phase: 'active',
  silent: false,
  memoryMb: 512,
  engines: { client: 'quiche 0.18.0', exit: 'quiche 0.18.0' },
  launchedAt: 0,
  billedFrom: 1_000,
  readyAt: 1_500,
  deadlineAt: 601_000,
  packetsSent: 0,
  packetsLost: 0,
  connections: 0,
  bytesUp: 0,
  bytesDown: 0,
}

const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) <= expected * 1e-9, `${actual} is not ${expected}`)

test('is memory by time, from the offer until the exit ends or the function must', () => {
  near(usageOf(exit, 101_000).gbSeconds, 50)
  near(usageOf({ ...exit, endedAt: 21_000 }, 101_000).gbSeconds, 10)
  near(usageOf(exit, 10_000_000).gbSeconds, 300)
})

test('is a fifth less for compute on arm64', () => {
  const of = (usage: Usage) => costOf(new Map([['us-east-1', usage]])).items.compute
  const usual = usageOf(exit, 101_000)
  near(of(usageOf({ ...exit, architecture: 'arm64' }, 101_000)), 0.8 * of(usual))
  near(of(usageOf({ ...exit, architecture: 'x86_64' }, 101_000)), of(usual))
})

test('is nothing for a launch that failed before its offer', () => {
  const { billedFrom: _, ...failed } = exit
  assert.equal(usageOf({ ...failed, phase: 'ended', endedAt: 5_000 }, 9_000), {
    gbSeconds: 0,
    arm64GbSeconds: 0,
    launches: 0,
    bytesOut: 0,
  })
})

test('counts what leaves AWS in both directions: to the client, and to the targets', () => {
  const both = usageOf({ ...exit, bytesDown: 3e9, bytesUp: 1e9 }, 2_000).bytesOut
  near(both, 4 * usageOf({ ...exit, bytesDown: 1e9 }, 2_000).bytesOut)
  assert.ok(both >= 4e9 && both < 4.4e9)
})

test('of an hour of the default size is a penny and a half, and data costs the most', () => {
  const ledger = new Map<string, Usage>([
    ['us-east-1', { gbSeconds: 3600 * 0.25, arm64GbSeconds: 0, launches: 6, bytesOut: 10e9 }],
  ])
  const { items, total } = costOf(ledger)
  near(items.compute, 0.01500003)
  near(items.requests, 0.0000012)
  near(items.dataOut, 0.9)
  near(total, items.compute + items.requests + items.storage + items.dataOut)
})

test('goes by the prices of each region, and says whose prices stand in for those of an unknown one', () => {
  const ledger = new Map<string, Usage>()
  addUsage(ledger, 'sa-east-1', { gbSeconds: 0, arm64GbSeconds: 0, launches: 0, bytesOut: 1e9 })
  addUsage(ledger, 'sa-east-1', { gbSeconds: 0, arm64GbSeconds: 0, launches: 0, bytesOut: 1e9 })
  near(costOf(ledger).total, 2 * pricesIn('sa-east-1')!.gbOut)
  assert.is(costOf(ledger).assumedRegion, undefined)
  addUsage(ledger, 'local-1', { gbSeconds: 0, arm64GbSeconds: 0, launches: 0, bytesOut: 1e9 })
  assert.is(costOf(ledger).assumedRegion, 'us-east-1')
  assert.is(pricesIn('constructor'), undefined)
})

test('stays what it was when an exit goes out of sight, and its rate is that of the last minute', () => {
  const clock = { now: 0 }
  const events = createEvents()
  const model = createModel(events, () => clock.now)
  const tick = (seconds: number) => {
    for (let i = 0; i < seconds; i++) {
      clock.now += 1_000
      events.emit({ type: 'traffic.sampled', connections: [], paths: [] })
    }
  }
  const ids = { session: 'a', region: 'us-east-1' }
  events.emit({ type: 'exit.launching', ...ids })
  events.emit({ type: 'exit.step', ...ids, step: 'offer', ms: 1, detail: '' })
  events.emit({
    type: 'exit.ready',
    ...ids,
    address: '192.0.2.1',
    remainingMs: 600_000,
    replaceMs: 600_000,
    setUpMs: 1,
    memoryMb: 1024,
    engines: { client: 'quiche 0.18.0', exit: 'quiche 0.18.0' },
  })
  assert.is(model.cost().perHour, undefined)
  tick(120)
  const { perHour, gbSeconds } = model.cost()
  near(gbSeconds, 120)
  near(perHour!, 3600 * pricesIn('us-east-1')!.gbSecond)
  // A clock that is set back takes the rate away for a moment, not for as long as it was ahead.
  clock.now -= 86_400_000
  tick(120)
  assert.is.not(model.cost().perHour, undefined)
  clock.now += 86_400_000
  events.emit({ type: 'exit.closed', ...ids, code: 'E_QUIC_CLOSED', message: '' })
  const before = model.cost().total
  tick(180)
  assert.is(model.exits.length, 0)
  near(model.cost().total, before)
  assert.ok(Math.abs(model.cost().perHour!) < 1e-12)
})

test.run()
