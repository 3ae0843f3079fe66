import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { fetchBytes } from '../support/origin.ts'
import { until } from '../support/until.ts'
import { s3Event } from './s3-event.ts'
import { startWorld, type World } from './world.ts'

// Events as S3 delivers them: late, twice, several at once; and clients that are gone.

const test = suite('Lambda: events')
const world = await startWorld()
const gone = 'no offer: the event is late or a duplicate, or this role may not read it'
const well = { status: 200, text: 'null' }

/** A client whose offer is written, and goes to nobody; its session, and the offer's key. */
async function offering(world: World) {
  world.deliverTo(undefined)
  const before = world.offers.length
  const proxy = await world.launch()
  await until(() => world.offers.length > before, 'an offer')
  const key = world.offers.at(-1)!
  return { proxy, key, session: key.split('/')[1]! }
}

function testsIn(world: World): void {
  test('two records in one event are two sessions', async () => {
    const [one, other] = [await offering(world), await offering(world)]
    const container = await world.container()
    const invoked = container.invoke(s3Event(world.recordOf(one.key), world.recordOf(other.key)))
    await Promise.all([one, other].map(({ proxy }) => proxy.event('exit.ready')))
    await Promise.all([one, other].map(({ proxy }) => proxy.stop()))
    assert.equal(await invoked, well)
    await container.close()
  })

  test('a duplicate is over at once, while its session lasts and afterwards', async () => {
    const { proxy, key, session } = await offering(world)
    const [first, second] = [await world.container(), await world.container()]
    const event = s3Event(world.recordOf(key))
    const serving = first.invoke(event)
    await proxy.event('exit.ready')
    assert.equal(await second.invoke(event), well)
    await second.logged('offer is answered already: this delivery is a duplicate', session)
    await proxy.stop()
    assert.equal(await serving, well)
    assert.equal(await first.invoke(event), well)
    const { level } = await first.logged(
      'no offer: the event is late or a duplicate, or this role may not read it',
    )
    assert.is(level, 'INFO')
    await Promise.all([first.close(), second.close()])
  })

  test("an event that is no offer's, or comes late, does no harm", async () => {
    const container = await world.container()
    assert.equal(await container.invoke({}), well)
    assert.equal(await container.invoke(s3Event(world.recordOf('reports/a b+c.json'))), well)
    const late = world.recordOf('sessions/0123456789abcdef0123/offer.json', new Date(Date.now() - 100_000))
    assert.equal(await container.invoke(s3Event(late)), well)
    const { level } = await container.logged(gone, '0123456789abcdef0123')
    assert.is(level, 'INFO')
    await container.close()
  })

  test('at its deadline a function ends by itself, with a stream open', async () => {
    const { origin } = world
    const container = await world.container({ timeoutS: 14 })
    world.deliverTo(container)
    const proxy = await world.proxy(['--launches-per-minute', '1'])
    const before = world.invoked.length
    const fetched = fetchBytes({ proxy: proxy.port, origin, bytes: 1_000_000, rate: 1_000 })
    await container.logged('draining')
    assert.equal(await world.invoked[before - 1], well)
    assert.is((await fetched).complete, false)
    const { reason } = await container.logged('ended')
    assert.match(String(reason), /^E_QUIC_CLOSED: /)
    await proxy.close()
    await container.close()
  })

  test('a client that is gone after its offer, or in mid-session, is not waited for', async () => {
    const [early, late] = [await world.container({ timeoutS: 120 }), await world.container({ timeoutS: 120 })]
    const never = await offering(world)
    await never.proxy.stop('SIGKILL')
    const neverMet = early.invoke(s3Event(world.recordOf(never.key)))
    const there = await offering(world)
    const lost = late.invoke(s3Event(world.recordOf(there.key)))
    await there.proxy.event('exit.ready')
    await there.proxy.stop('SIGKILL')
    // Both far from their limit of 120 s, at which the emulator would say otherwise.
    assert.match((await neverMet).text, /"errorType":"HandlerError"/)
    assert.equal(await lost, well)
    const { reason } = await late.logged('ended', there.session)
    assert.match(String(reason), /^E_QUIC_/)
    await Promise.all([early.close(), late.close()])
  })
}

if (world) {
  testsIn(world)
  test.after(() => world.close())
  test.run()
}
