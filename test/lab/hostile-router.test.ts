import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { need } from '../support/need.ts'
import { labAvailable } from './available.ts'
import { inLab, type Lab, type Where } from './lab.ts'
import { startWeb } from './services.ts'
import { fetchText, startSession } from './session.ts'

// A router that is asked for a port may answer what it likes: it leads the client nowhere, and stops no launch.

const test = suite('A hostile router')

const program = (name: string) => join(import.meta.dir, 'programs', name)

/** A web server that nobody has reason to ask; it says each request. */
async function trap(lab: Lab, where: Where, address: string): Promise<{ url: string; asked(): string }> {
  const script = `Bun.serve({ hostname: process.argv[1], port: 80, fetch: () => (console.log('asked'), new Response('')) }); console.log('listening')`
  const server = lab.run(where, process.execPath, ['-e', script, address])
  await server.line(/listening/)
  return { url: `http://${address}/`, asked: () => server.said() }
}

test('a launch comes up, sends nothing where the router points, and names no address but its own', () =>
  inLab({ client: 'port-restricted', function: 'port-restricted' }, async lab => {
    const web = await startWeb(lab)
    const victim = lab.address.stranger
    const traps = [
      await trap(lab, 'client', '127.0.0.1'),
      await trap(lab, 'client', lab.address.clientInside),
      await trap(lab, 'internet', victim),
    ]
    const router = lab.run('clientNat', process.execPath, [
      ...[program('hostile-router.ts'), '192.168.1.1', victim],
      ...traps.map(({ url }) => url),
    ])
    await router.line(/ready/)
    const session = await startSession(lab, 'ours')
    const outcome = await session.outcome()
    if (outcome.type === 'exit.failed') throw new Error(outcome.message)
    assert.is(await fetchText(lab, `${web}/address`), lab.address.function)
    await router.line(/asked for a port/)
    assert.not.match(session.client.said(), 'opened by the router')
    for (const { asked } of traps) assert.is(asked(), 'listening')
    assert.is(await session.client.stop('SIGINT'), 0)
  }))

if (labAvailable() && need(['curl'], ['curl'])) test.run()
