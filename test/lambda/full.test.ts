import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { roomSize } from '../../function/room.ts'
import { fetchBytes } from '../support/origin.ts'
import { slowReaders } from './readers.ts'
import { startWorld, type World } from './world.ts'

const test = suite('Lambda: a full exit')
const world = await startWorld()

/** Less than Lambda sells, so that few connections fill it. */
const memoryMb = 90
const room = roomSize(memoryMb)

function testsIn(world: World): void {
  test('the connection for which there is no room is served by another exit', async () => {
    const [first, second] = [await world.container({ memoryMb }), await world.container({ memoryMb })]
    world.deliverTo(first)
    const proxy = await world.proxy()
    const { session } = await proxy.event('exit.ready')
    const readers = await slowReaders(room, { proxy: proxy.port, origin: world.origin.port, rate: 1_000 })
    assert.equal([readers.open, readers.refused], [room, 0])

    world.deliverTo(second)
    const fetched = await fetchBytes({ proxy: proxy.port, origin: world.origin, bytes: 100_000 })
    assert.equal([fetched.complete, fetched.wrong], [true, 0])
    await first.logged('full: no more connections fit', session)
    const other = await proxy.event('exit.ready', event => event.session !== session)
    const connections = proxy.told('connection.opened').map(event => event.session)
    assert.equal(
      [session, other.session].map(id => connections.filter(each => each === id).length),
      [room, 1],
    )
    assert.equal(proxy.told('connection.refused'), [])
    readers.close()
    await proxy.stop()
    await Promise.all([first.close(), second.close()])
  })
}

if (world) {
  testsIn(world)
  test.after(() => world.close())
  test.run()
}
