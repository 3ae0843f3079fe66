import { existsSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { labAvailable } from './available.ts'
import { namespacesOf } from './estate.ts'
import { inLab, openLab } from './lab.ts'
import type { NatKind } from './nat.ts'
import { start } from './running.ts'
import { socketAt } from './udp-socket.ts'

// Each NAT of the lab is what its name says, shown with real sockets; so are the faults, and the end of a lab.

const test = suite('NAT kinds')

const behaviours: { kind: NatKind; says: string; port: string; letsIn: string[] }[] = [
  {
    kind: 'none',
    says: 'a host with a public address has its own port and hears everybody',
    port: 'its own',
    letsIn: ['another-address', 'another-port', 'the-answer', 'the-second'],
  },
  {
    kind: 'full-cone',
    says: 'a full-cone NAT keeps one mapping and lets anybody in to it',
    port: 'its own',
    letsIn: ['another-address', 'another-port', 'the-answer', 'the-second'],
  },
  {
    kind: 'address-restricted',
    says: 'an address-restricted NAT keeps one mapping and lets in every port of the addresses sent to',
    port: 'its own',
    letsIn: ['another-port', 'the-answer', 'the-second'],
  },
  {
    kind: 'port-restricted',
    says: 'a port-restricted NAT keeps one mapping and lets in only the ports sent to',
    port: 'its own',
    letsIn: ['the-answer', 'the-second'],
  },
  {
    kind: 'symmetric',
    says: 'a symmetric NAT has a mapping for each peer and lets in to it only that peer',
    port: 'one for each peer',
    letsIn: ['the-answer'],
  },
]

for (const { kind, says, port, letsIn } of behaviours)
  for (const side of ['client', 'function'] as const)
    test(`${says} (${side})`, () =>
      inLab({ client: 'none', function: 'none', [side]: kind }, async lab => {
        const host = await socketAt(lab, side)
        const first = await socketAt(lab, 'internet', lab.address.stun1)
        const second = await socketAt(lab, 'internet', lab.address.stun2)
        const samePlace = await socketAt(lab, 'internet', lab.address.stun1)
        const stranger = await socketAt(lab, 'internet', lab.address.stranger)

        await host.send('to-first', first)
        await host.send('to-second', second)
        const mapped = await first.hears('to-first')
        const mappedForSecond = await second.hears('to-second')
        assert.is(mapped.address, lab.address[side])
        if (port === 'its own') assert.equal([mapped.port, mappedForSecond.port], [host.port, host.port])
        else assert.is(new Set([host.port, mapped.port, mappedForSecond.port]).size, 3)

        await stranger.send('another-address', mapped)
        await samePlace.send('another-port', mapped)
        await second.send('the-second', mapped)
        await first.send('the-answer', mapped) // the last to be sent: what is not here by then was not let in
        await host.hears('the-answer')
        assert.equal(host.heard().sort(), letsIn)
      }))

for (const kind of ['full-cone', 'address-restricted', 'port-restricted'] as const)
  test(`a datagram that comes too early does not take the port from the host (${kind})`, () =>
    inLab({ client: kind, function: 'none' }, async lab => {
      const peer = await socketAt(lab, 'function')
      await peer.send('too-early', { address: lab.address.client, port: 40_000 })
      const host = await socketAt(lab, 'client', undefined, 40_000)
      await host.send('hello', { address: lab.address.function, port: peer.port })
      assert.equal(await peer.hears('hello'), { address: lab.address.client, port: 40_000 })
      await peer.send('welcome', { address: lab.address.client, port: 40_000 })
      await host.hears('welcome')
      assert.equal(host.heard(), ['welcome'])
    }))

test('two devices behind port-restricted NATs punch a direct connection', () =>
  inLab({ client: 'port-restricted', function: 'port-restricted' }, async lab => {
    const client = await socketAt(lab, 'client')
    const exit = await socketAt(lab, 'function')
    await client.send('first', { address: lab.address.function, port: exit.port })
    await exit.send('second', { address: lab.address.client, port: client.port })
    await client.hears('second')
    await client.send('third', { address: lab.address.function, port: exit.port })
    await exit.hears('third')
    assert.equal(exit.heard(), ['third'])
  }))

for (const kind of ['full-cone', 'address-restricted', 'port-restricted', 'symmetric'] as const)
  test(`a NAT that re-binds gives other ports, is still of its kind, and lets nothing in to the old one (${kind})`, () =>
    inLab({ client: kind, function: 'none' }, async lab => {
      const host = await socketAt(lab, 'client')
      const first = await socketAt(lab, 'internet', lab.address.stun1)
      const second = await socketAt(lab, 'internet', lab.address.stun2)
      await host.send('before', first)
      const before = await first.hears('before')

      await lab.rebind('client')
      await first.send('to-nobody', before)
      await host.send('after', first)
      await host.send('after', second)
      const after = await first.hears('after')
      assert.is.not(after.port, before.port)
      assert.is((await second.hears('after')).port === after.port, kind !== 'symmetric')

      await first.send('to-the-old', before)
      await first.send('to-the-new', after)
      await host.hears('to-the-new')
      assert.equal(host.heard(), ['to-the-new'])
    }))

test('a blocked line passes no UDP, an unblocked one does, and TCP goes on meanwhile', () =>
  inLab({ client: 'port-restricted', function: 'none' }, async lab => {
    const host = await socketAt(lab, 'client')
    const server = await socketAt(lab, 'internet', lab.address.stun1)
    const web = lab.run('internet', process.execPath, ['-e', tcpServer, lab.address.web])
    await web.line(/listening/)

    await lab.block('client')
    await host.send('into-the-void', server)
    await lab.finish('client', process.execPath, ['-e', tcpClient, lab.address.web])
    await lab.unblock('client')
    await host.send('through', server)
    await server.hears('through')
    assert.equal(server.heard(), ['through'])
  }))

test('a line with loss loses its share, each way', () =>
  inLab({ client: 'port-restricted', function: 'none' }, async lab => {
    const host = await socketAt(lab, 'client')
    const server = await socketAt(lab, 'internet', lab.address.stun1)
    const words = Array.from({ length: 200 }, (_, number) => `word-${number}`)
    await host.send('hello', server)
    const mapped = await server.hears('hello')

    await lab.loss('client', 50)
    for (const word of words) await host.send(word, server)
    for (const word of words) await server.send(word, mapped)
    await lab.loss('client', 0)
    await host.send('the-end', server)
    await server.hears('the-end')
    await server.send('the-end', mapped)
    await host.hears('the-end')
    // Half of 200 is 100, give or take 7: a chance of one in a billion lies within six times that.
    for (const { length } of [server.heard(), host.heard()])
      assert.ok(length > 58 && length < 142, `${length} of 200`)
  }))

test('connectivity checks are counted, messages to the servers are not', () =>
  inLab({ client: 'port-restricted', function: 'port-restricted' }, async lab => {
    const host = await socketAt(lab, 'client')
    const server = await socketAt(lab, 'internet', lab.address.stun1)
    await host.send('\x00\x01-to-a-peer', { address: lab.address.function, port: 40_000 })
    await host.send('\x00\x01-to-a-server', server)
    await host.send('QUIC', { address: lab.address.function, port: 40_000 })
    await host.send('the-end', server)
    await server.hears('the-end')
    assert.equal([await lab.checksSent('client'), await lab.checksSent('function')], [1, 0])
  }))

test('a lab that is closed leaves no namespace, no process and no file', async () => {
  const lab = await openLab({ client: 'symmetric', function: 'full-cone' })
  const program = lab.run('function', 'sleep', ['1000'])
  assert.is(namespacesOf(process.pid).length, 5)
  assert.ok(existsSync(lab.folder))
  await lab.close()
  assert.not.ok(existsSync(lab.folder))
  assert.equal(namespacesOf(process.pid), [])
  assert.is(await program.exit, 'SIGKILL')
})

test('a process that is told to end takes its lab down, and what a killed one left is swept by the next', async () => {
  const owner = () => start([process.execPath, '-e', labOwner])
  const polite = owner()
  await polite.line(/open/)
  assert.is(await polite.stop('SIGTERM'), 143)
  assert.equal(namespacesOf(polite.pid), [])

  const rude = owner()
  await rude.line(/open/)
  assert.is(namespacesOf(rude.pid).length, 5)
  await rude.stop('SIGKILL')
  await inLab({ client: 'none', function: 'none' }, async () => assert.equal(namespacesOf(rude.pid), []))
})

// --- internal ---

const tcpServer = `require('node:net').createServer(socket => socket.end('hello')).listen(80, process.argv[1], () => console.log('listening'))`
const tcpClient = `require('node:net').connect(80, process.argv[1]).on('data', () => process.exit(0)).on('error', () => process.exit(1))`
const labOwner = `
  const { openLab } = await import(${JSON.stringify(`${import.meta.dir}/lab.ts`)})
  const lab = await openLab({ client: 'symmetric', function: 'symmetric' })
  lab.run('client', 'sleep', ['1000'])
  console.log('open')
`

if (labAvailable()) test.run()
