import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Allocation } from '../../tunnel/nat/turn/allocation.ts'
import type { TurnError } from '../../tunnel/nat/turn/error.ts'
import { sendTo } from '../../tunnel/nat/turn/message.ts'
import {
  lyingLogin as credentials,
  granted,
  type LyingTurnServer,
  lent,
  lifetime,
  lyingTurnServers,
  refusedWith,
  relayedAddress,
  relayedAddress6,
  requestTypes,
  type TurnRequest,
} from '../support/lying-turn-server.ts'
import { until } from '../support/until.ts'

// A TURN server that knows the credentials and abuses them, or is only careless.

const test = suite('a TURN server that cannot be trusted')
const peers = ['192.0.2.1', '192.0.2.2', '192.0.2.3']
const { start, later } = lyingTurnServers(test)

const of = ({ requests }: LyingTurnServer, type: keyof typeof requestTypes) =>
  requests.filter(each => each.type === requestTypes[type])

const isGivenBack = (server: LyingTurnServer) => () =>
  of(server, 'refresh').some(each => each.isSigned && each.lifetimeS === 0)

test('a lifetime of nothing does not make the client ask without end', async () => {
  const server = await start('udp', () => ({ success: [lent, lifetime(0)] }))
  later(await Allocation.open(server.name, { credentials }))
  await until(() => of(server, 'refresh').length >= 2, 'two refreshes')
  const before = performance.now()
  await until(() => of(server, 'refresh').length >= 4, 'two more')
  assert.ok(performance.now() - before > 1_000, 'they came faster than one a second')
})

test('an address that no document has a place for is refused, and given back', async () => {
  const wrong = [
    relayedAddress6,
    relayedAddress({ address: '203.0.113.9', port: 0 }),
    relayedAddress({ address: '0.0.0.0', port: 4_000 }),
    relayedAddress({ address: '224.0.0.1', port: 4_000 }),
  ]
  for (const address of wrong) {
    const server = await start('udp', () => ({ success: [address, lifetime(600)] }))
    const error = await Allocation.open(server.name, { credentials }).catch(error => error)
    assert.is((error as TurnError).code, 'E_TURN_REFUSED')
    await until(isGivenBack(server), 'it to be given back')
  }
})

test('an allocation that is called off while it is asked for is given back', async () => {
  const stop = new AbortController()
  const server = await start('udp', ({ type }) => {
    if (type === requestTypes.allocate) stop.abort(new Error('called off'))
    return undefined
  })
  const error = await Allocation.open(server.name, { credentials, signal: stop.signal }).catch(error => error)
  assert.is(error, stop.signal.reason)
  await until(isGivenBack(server), 'it to be given back')
})

test('one peer that the server forbids does not shut out the others', async () => {
  const allowed: TurnRequest[] = []
  const server = await start('udp', request => {
    if (request.type !== requestTypes.createPermission) return granted
    if (request.peers > 1) return { error: refusedWith(403) }
    allowed.push(request)
    return allowed.length === 1 ? { error: refusedWith(403) } : { success: [] }
  })
  const allocation = later(await Allocation.open(server.name, { credentials }))
  allocation.permit(peers)
  await until(() => allowed.length >= peers.length, 'each to be asked for')
})

test('what the server passes on of somebody who was not permitted is not heard', async () => {
  const server = await start('tcp', () => granted)
  const allocation = later(await Allocation.open(server.name, { credentials }))
  const heard: string[] = []
  allocation.onDatagram = (_, address) => heard.push(address)
  allocation.permit(['192.0.2.1'])
  await until(() => of(server, 'createPermission').length > 0, 'the permission')
  for (const address of ['192.0.2.9', '192.0.2.1']) {
    const passedOn = sendTo({ address, port: 9 }, Buffer.from('x'))
    // A Data indication in place of a Send indication (RFC 8656, section 17).
    passedOn[1] = 0x17
    server.connections[0]!.write(passedOn)
  }
  await until(() => heard.length > 0, 'the one that was permitted')
  assert.equal(heard, ['192.0.2.1'])
})

test('permissions are renewed, and a server that is silent for a moment keeps its allocation', async () => {
  let isSilent = false
  const server = await start('udp', ({ type }) =>
    isSilent && type === requestTypes.refresh ? undefined : granted,
  )
  const allocation = later(await Allocation.open(server.name, { credentials, renewMs: 20, limitMs: 2_000 }))
  allocation.permit(peers)
  await until(() => of(server, 'createPermission').length > 3, 'permissions to be renewed')
  isSilent = true
  const from = of(server, 'refresh').length
  const asked = () =>
    new Set(
      of(server, 'refresh')
        .slice(from)
        .map(({ message }) => message.toString('hex', 8, 20)),
    )
  await until(() => asked().size > 1 || allocation.lost.aborted, 'it to be asked anew')
  isSilent = false
  assert.not(allocation.lost.aborted)
  const before = of(server, 'createPermission').length
  await until(() => of(server, 'createPermission').length > before, 'permissions to be renewed again')
})

test('a nonce or realm that is too long to be sent back is not taken', async () => {
  const server = await start('tcp', ({ type }) =>
    type === requestTypes.allocate ? granted : { error: refusedWith(438, Buffer.alloc(65_000, 'n')) },
  )
  const allocation = later(await Allocation.open(server.name, { credentials }))
  allocation.permit(peers)
  await until(() => of(server, 'createPermission').length > 0, 'a permission to be asked for')
  allocation.close()
  await until(isGivenBack(server), 'it to be given back')
})

test('nonces that turn stale as often as they may take no longer than one limit', async () => {
  const server = await start('udp', () => undefined)
  const began = performance.now()
  const error = await Allocation.open(server.name, { credentials, limitMs: 400 }).catch(error => error)
  assert.is((error as TurnError).code, 'E_TURN_UNREACHABLE')
  assert.ok(performance.now() - began >= 300)
})

test('a request is not lost where datagrams have filled the stream', async () => {
  const server = await start('tcp', () => granted)
  const allocation = later(await Allocation.open(server.name, { credentials }))
  allocation.permit(['192.0.2.1'])
  await until(() => of(server, 'createPermission').length > 0, 'the permission')
  server.connections[0]!.pause()
  for (const size of [1_350, 1])
    for (const dropped = allocation.dropped; allocation.dropped === dropped; )
      for (let i = 0; i < 1_000; i++) allocation.send(Buffer.alloc(size), { address: '192.0.2.1', port: 9 })
  allocation.permit(['192.0.2.2'])
  server.connections[0]!.resume()
  await until(() => of(server, 'createPermission').some(each => each.peers === 2), 'the second permission')
})

test('a connection is closed though the server goes on to talk', async () => {
  const server = await start('tcp', () => granted)
  const allocation = await Allocation.open(server.name, { credentials })
  const [socket] = server.connections
  const noise = sendTo({ address: '192.0.2.1', port: 9 }, Buffer.alloc(100))
  const talking = setInterval(() => socket!.write(noise), 50)
  let closed = false
  socket!.on('close', () => {
    closed = true
  })
  allocation.close()
  await until(() => closed, 'the connection to end')
  clearInterval(talking)
})

test.run()
