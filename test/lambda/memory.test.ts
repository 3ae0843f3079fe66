import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { fetchBytes } from '../support/origin.ts'
import { slowReaders } from './readers.ts'
import { startWorld, type World } from './world.ts'

// What the function needs with connections that are not read, by its size. Lambda ends what needs more than it has; the
// emulator does not, so the most that was resident is measured. A good half of that is Node's own program, which the
// system can take back.

const test = suite('Lambda: memory')
const world = await startWorld()

/** Bytes a second to each reader. */
const rate = 2_000

function testsIn(world: World): void {
  for (const [memoryMb, room] of [
    [128, 600],
    [256, 900],
    [512, 900],
  ] as const)
    for (const count of [200, 900])
      test(`${memoryMb} MB and ${count} slow readers: alive, and full where they do not fit`, async () => {
        const container = await world.container({ memoryMb })
        world.deliverTo(container)
        // One launch: no other exit takes what this one has no room for.
        const proxy = await world.proxy(['--launches-per-minute', '1'])
        const first = await proxy.event('exit.ready')
        const idleMb = container.memory().nowMb
        const fits = Math.min(count, room)
        const readers = await slowReaders(fits, { proxy: proxy.port, origin: world.origin.port, rate })
        assert.equal([readers.open, readers.refused], [fits, 0])
        if (count >= room) {
          // Its refusal waits for another exit, which cannot come: the function's word is enough.
          const refused = fetchBytes({ proxy: proxy.port, origin: world.origin, bytes: 1 }).catch(() => {})
          const { level } = await container.logged('full: no more connections fit', first.session)
          assert.is(level, 'WARN')
          void refused
        } else {
          const { complete, wrong } = await fetchBytes({
            proxy: proxy.port,
            origin: world.origin,
            bytes: 1_000_000,
          })
          assert.equal([complete, wrong], [true, 0])
        }
        const { peakMb } = container.memory()
        console.log(
          `figure: Lambda of ${memoryMb} MB, ${fits} slow readers: idle ${idleMb}, at most ${peakMb} MB resident`,
        )
        assert.ok(peakMb < idleMb + 100, `${peakMb} MB resident`)
        readers.close()
        await proxy.stop()
        assert.is((await world.invoked.at(-1))!.status, 200)
        assert.equal(
          container.log.filter(({ level }) => level === 'ERROR'),
          [],
        )
        await container.close()
      })
}

if (world) {
  testsIn(world)
  test.after(() => world.close())
  test.run()
}
