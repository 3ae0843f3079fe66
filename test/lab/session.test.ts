import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { need } from '../support/need.ts'
import { labAvailable } from './available.ts'
import { content, sha256 } from './content.ts'
import { inLab } from './lab.ts'
import { startWeb } from './services.ts'
import { fetchDigest, fetchText, startSession } from './session.ts'

// The client in one home, the function in another, and between them what AWS and the internet would be.

const test = suite('A session through two NATs')

const size = 20_000_000

for (const stun of ['coturn', 'ours'] as const)
  test(`two devices behind port-restricted NATs connect and carry 20 MB intact (STUN: ${stun})`, () =>
    inLab({ client: 'port-restricted', function: 'port-restricted' }, async lab => {
      const web = await startWeb(lab)
      const session = await startSession(lab, stun)
      const ready = await session.outcome()
      if (ready.type === 'exit.failed') throw new Error(ready.message)
      assert.is(ready.address, lab.address.function)
      assert.is(await fetchText(lab, `${web}/address`), lab.address.function)
      assert.is(await fetchDigest(lab, `${web}/bytes/${size}`), sha256(content(size)))
      // Ctrl-C: the exit is told, and the client ends in order.
      assert.is(await session.client.stop('SIGINT'), 0)
      await session.cloud.process.line(/"message":"ended"/)
    }))

test('two symmetric NATs end in an error that says what is in the way and what to do', () =>
  inLab({ client: 'symmetric', function: 'symmetric' }, async lab => {
    const session = await startSession(lab, 'ours')
    const failed = await session.outcome()
    if (failed.type === 'exit.ready') throw new Error('it connected')
    assert.is(failed.step, 'punch')
    assert.match(failed.message, /symmetric NAT/)
    assert.equal(failed.code, 'E_PUNCH_TWO_HARD_NATS')
    assert.match(failed.hint!, /Try another network/)
    assert.is(await session.client.stop('SIGINT'), 0)
  }))

if (labAvailable() && need(['coturn', 'curl'], ['turnserver', 'curl'])) test.run()
