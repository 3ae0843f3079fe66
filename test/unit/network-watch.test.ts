import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Upset, watchNetwork } from '../../cli/client/fleet/network-watch.ts'
import { LivenessMonitor } from '../../tunnel/quic/liveness-monitor.ts'
import { until } from '../support/until.ts'

const test = suite('What shows that all paths may be gone')

/** A watch whose world a test changes; what the real timers take is added to its clocks. */
function watching() {
  const upsets: Upset[] = []
  const jump = { monotonic: 0, wall: 0 }
  const world = { addresses: '192.0.2.1', looks: 0 }
  const began = performance.now()
  const watch = watchNetwork(upset => upsets.push(upset), {
    monotonic: () => performance.now() - began + jump.monotonic,
    wall: () => performance.now() - began + jump.wall,
    addresses: () => {
      world.looks++
      return world.addresses
    },
  })
  const looked = async () => {
    const { looks } = world
    await until(() => world.looks > looks + 1, 'another look')
  }
  return { upsets, jump, world, watch, looked }
}

test('other addresses and clocks that jump are told once, and nothing else is', async () => {
  const { upsets, jump, world, watch, looked } = watching()
  watch.watch(true)
  await looked()
  assert.equal(upsets, [])
  world.addresses = '192.0.2.1 192.0.2.2'
  await looked()
  assert.equal(upsets, [{ change: 'addresses' }])
  jump.wall += 60_000 // the machine slept, and its timers with it
  await looked()
  jump.monotonic += 30_000 // the process was stopped
  await looked()
  watch.watch(false)
  assert.is(upsets.length, 3)
  for (const [i, least] of [
    [1, 60_000],
    [2, 30_000],
  ] as const) {
    const upset = upsets[i]!
    assert.ok(upset.change === 'pause' && upset.ms >= least - 1_000)
  }
})

test('nothing is looked at while nobody wants it, and what changed meanwhile is no news', async () => {
  const { upsets, jump, world, watch, looked } = watching()
  watch.watch(true)
  await looked()
  watch.watch(false)
  const { looks } = world
  world.addresses = '198.51.100.1'
  jump.wall += 3_600_000
  const other = watching()
  other.watch.watch(true)
  await other.looked()
  other.watch.watch(false)
  assert.is(world.looks, looks)
  watch.watch(true)
  await looked()
  watch.watch(false)
  assert.equal(upsets, [])
})

/** A monitor of a peer, and what it does at each tick after its path is in doubt. */
async function doubted(receivedAt: (tick: number) => number): Promise<{ ticks: number; probes: number }> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let ticks = 0
  let probes = 0
  const monitor = new LivenessMonitor({
    received: () => receivedAt(ticks),
    onTick: () => {
      if (++ticks === 8) resolve()
    },
    probe: () => probes++,
    onSilence: silent => silent && resolve(),
  })
  monitor.start()
  monitor.doubt()
  assert.is(probes, 1, 'it is asked at once')
  await promise
  monitor.stop()
  return { ticks, probes }
}

test('a peer in doubt that does not answer is called silent after three ticks', async () => {
  assert.is((await doubted(() => 0)).ticks, 3)
})

test('what had been waiting to be read is no answer', async () => {
  assert.is((await doubted(() => 5)).ticks, 3)
})

test('a peer in doubt that answers is not called silent', async () => {
  assert.is((await doubted(tick => tick)).ticks, 8)
})

test.run()
