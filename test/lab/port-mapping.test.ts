import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { need } from '../support/need.ts'
import { until } from '../support/until.ts'
import { labAvailable } from './available.ts'
import { content, sha256 } from './content.ts'
import { inLab } from './lab.ts'
import { portMappingPackage, portMappingProgram, startPortMapping, switchOff } from './port-mapping.ts'
import { startWeb } from './services.ts'
import { fetchDigest, type LabSession, startSession } from './session.ts'
import { socketAt } from './udp-socket.ts'

// A router that opens a port when it is asked to: what no two NATs of the hard kind do by themselves works then.

const test = suite('Port mapping')

const size = 2_000_000

/** How the function's punch went. */
async function punched({ cloud }: LabSession): Promise<{ sprayed: number }> {
  const { input } = await cloud.process.line(/"message":"punched"/)
  return JSON.parse(input) as { sprayed: number }
}

const pairs = [
  { client: 'symmetric', exit: 'symmetric', daemon: { pcp: true, upnp: false }, protocol: 'PCP' },
  { client: 'symmetric', exit: 'symmetric', daemon: { pcp: false, upnp: true }, protocol: 'UPnP' },
  { client: 'symmetric', exit: 'port-restricted', daemon: {}, protocol: 'PCP' },
  { client: 'port-restricted', exit: 'symmetric', daemon: {}, protocol: 'PCP' },
] as const

for (const { client, exit, daemon, protocol } of pairs)
  test(`a ${client} client reaches a ${exit} function through a port that its router opens by ${protocol}`, () =>
    inLab({ client, function: exit }, async lab => {
      const web = await startWeb(lab)
      const router = await startPortMapping(lab, daemon)
      const session = await startSession(lab, 'ours')
      let outcome = await session.outcome()
      // On a busy machine the router may take longer than a launch waits for it: the next one knows it.
      if (outcome.type === 'exit.failed') outcome = await session.outcome()
      if (outcome.type === 'exit.failed') throw new Error(outcome.message)
      assert.match(session.client.said(), `opened by the router (${protocol})`)
      assert.is(outcome.byOpenPort, true)
      assert.is((await router.open()).length, 1)
      assert.is((await punched(session)).sprayed, 0)
      assert.is(await fetchDigest(lab, `${web}/bytes/${size}`), sha256(content(size)))
      // Ctrl-C: the router closes the port again.
      assert.is(await session.client.stop('SIGINT'), 0)
      assert.equal(await router.open(), [])
    }))

for (const before of [true, false])
  test(`a peer comes in by an open port, and is answered from it, ${before ? 'after' : 'before'} it was sent to`, () =>
    inLab({ client: 'symmetric', function: 'none' }, async lab => {
      await startPortMapping(lab)
      await lab.finish('client', process.execPath, ['-e', openPort, '40000'])
      const host = await socketAt(lab, 'client', undefined, 40_000)
      const peer = await socketAt(lab, 'function')
      const atPeer = { address: lab.address.function, port: peer.port }
      if (before) {
        await host.send('early', atPeer)
        assert.is.not((await peer.hears('early')).port, 40_000)
      }
      await peer.send('knock', { address: lab.address.client, port: 40_000 })
      // Where the host has sent to the peer's port before, the router gives the peer another.
      const from = await host.hears('knock')
      assert.is(from.port !== peer.port, before)
      await host.send('answer', from)
      assert.equal(await peer.hears('answer'), { address: lab.address.client, port: 40_000 })
    }))

for (const protocol of ['pcp', 'nat-pmp'])
  test(`a router that starts again opens all ports anew by ${protocol}, when one is asked for`, () =>
    inLab({ client: 'symmetric', function: 'none' }, async lab => {
      const before = await startPortMapping(lab, { isLongUp: true })
      const client = lab.run('client', process.execPath, ['-e', openPorts, protocol])
      await client.line(/two are open/)
      assert.is((await before.open()).length, 2)
      await switchOff(lab, before)
      const after = await startPortMapping(lab)
      assert.equal(await after.open(), [])
      client.tell('the third')
      await until(async () => (await after.open()).length === 3, 'all three to be open')
      await client.stop('SIGTERM')
    }))

test('a router is not asked where that is off', () =>
  inLab({ client: 'port-restricted', function: 'port-restricted' }, async lab => {
    const router = await startPortMapping(lab)
    const session = await startSession(lab, 'ours', { args: ['--port-mapping', 'off'] })
    const outcome = await session.outcome()
    if (outcome.type === 'exit.failed') throw new Error(outcome.message)
    assert.is(await session.client.stop('SIGINT'), 0)
    assert.not.match(router.process.said(), /request received|M-SEARCH/)
  }))

// --- internal ---

/** Has two ports opened, and a third one when it is told to. */
const openPorts = `
  const folder = ${JSON.stringify(join(import.meta.dir, '../../tunnel/nat/port-mapping'))}
  const { createPortMapper } = await import(folder + '/mapper.ts')
  const { finders } = await import(folder + '/survey.ts')
  const protocol = process.argv[1]
  const mapper = createPortMapper({ find: { [protocol]: finders[protocol] } })
  const open = async port => {
    while (!(await mapper.open(port))) await Bun.sleep(50)
  }
  await open(40000)
  await open(40001)
  console.log('two are open')
  for await (const _ of console) await open(40002)
`

/** Has the port opened and leaves it so. */
const openPort = `
  const { createPortMapper } = await import(${JSON.stringify(join(import.meta.dir, '../../tunnel/nat/port-mapping/mapper.ts'))})
  const mapper = createPortMapper()
  while (!(await mapper.open(Number(process.argv[1])))) await Bun.sleep(50)
  process.exit(0)
`

if (labAvailable() && need([portMappingPackage, 'curl'], [portMappingProgram, 'curl'])) test.run()
