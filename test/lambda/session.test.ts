import { accessSync, constants, readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { fetchBytes } from '../support/origin.ts'
import { until } from '../support/until.ts'
import type { Container } from './container.ts'
import { nodeMajors } from './runtime.ts'
import { startWorld, type World } from './world.ts'

// The very function.zip under AWS's own emulator and runtime client.

const test = suite('Lambda: sessions')
const world = await startWorld()

const megabytes = 8
const statusOf = (container: Container) => readFileSync(`/proc/${container.pid()}/status`, 'utf8')

/** A whole session: a client comes up, carries some traffic, and ends; what the invocation came to. */
async function session(world: World) {
  const proxy = await world.proxy()
  const { origin } = world
  const { complete, wrong } = await fetchBytes({ proxy: proxy.port, origin, bytes: megabytes * 1024 ** 2 })
  assert.equal([complete, wrong], [true, 0])
  await proxy.stop()
  return world.invoked.at(-1)!
}

function testsIn(world: World): void {
  for (const node of nodeMajors)
    test(`Node ${node}: one container, read-only and with 1,024 descriptors, serves ten sessions`, async () => {
      const container = await world.container({ node })
      world.deliverTo(container)
      for (let i = 0; i < 10; i++)
        assert.equal(await session(world), { status: 200, text: 'null' }, `session ${i + 1}`)

      const told = container.log.flatMap(({ runtime }) => runtime ?? []) as {
        node: string
        descriptors: number
      }[]
      assert.equal(
        told.map(({ node, descriptors }) => [node.split('.')[0], descriptors]),
        [[`v${node}`, 1024]],
        'the first session alone, which was cold, tells what it runs on',
      )
      const inside = `/proc/${container.pid()}/root`
      assert.throws(() => accessSync(`${inside}/var/task/index.js`, constants.W_OK), /EROFS/)
      assert.throws(() => accessSync(`${inside}/`, constants.W_OK), /EROFS/)
      accessSync(`${inside}/tmp`, constants.W_OK)
      assert.equal(
        container.log.filter(({ level }) => level === 'WARN' || level === 'ERROR'),
        [],
      )
      await container.close()
    })

  test('a container that was frozen between two sessions serves the next', async () => {
    const container = await world.container()
    world.deliverTo(container)
    await session(world)
    container.freeze()
    const proxy = await world.launch()
    const before = world.invoked.length
    await until(() => world.invoked.length > before, 'an offer while the function stands still')
    assert.match(statusOf(container), /^State:\s+T/m)
    container.thaw()
    await proxy.event('exit.ready')
    await proxy.stop()
    assert.equal(await world.invoked.at(-1), { status: 200, text: 'null' })
    await container.close()
  })
}

if (world) {
  testsIn(world)
  test.after(() => world.close())
  test.run()
}
