import { once } from 'node:events'
import { createServer } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { allocate } from '../../tunnel/nat/turn/allocate.ts'
import { Allocation, renewalMs } from '../../tunnel/nat/turn/allocation.ts'
import type { TurnError } from '../../tunnel/nat/turn/error.ts'
import {
  lyingLogin as credentials,
  granted,
  lent,
  lifetime,
  lyingTurnServers,
  refusedWith,
  requestTypes,
  type TurnRequest,
} from '../support/lying-turn-server.ts'
import { until } from '../support/until.ts'

// When what is asked of a TURN server is asked again, and when it is given up. No answer here depends on how fast this
// machine is: what takes longer comes in the same order.

const test = suite("TURN's times")
const { start, later } = lyingTurnServers(test)

/** How often each message came. */
function copies(requests: readonly TurnRequest[]): number[] {
  const counts = new Map<string, number>()
  for (const { message } of requests) {
    const text = message.toString('hex')
    counts.set(text, (counts.get(text) ?? 0) + 1)
  }
  return [...counts.values()]
}

test('a request that is not answered is repeated ever more rarely, and given up after five seconds', async () => {
  const server = await start('udp', () => undefined)
  const error = await Allocation.open(server.name, { credentials }).catch(error => error as TurnError)
  assert.is((error as TurnError).code, 'E_TURN_UNREACHABLE')
  assert.match((error as TurnError).message, 'did not answer within 5 s')
  const asked = server.requests.filter(({ isSigned, lifetimeS }) => isSigned && lifetimeS !== 0)
  const [times = 0, ...others] = copies(asked)
  assert.equal(others, [])
  // After 250, 500, 1,000 and 2,000 ms; a busy machine sends fewer.
  assert.ok(times >= 2 && times <= 5, `it was sent ${times} times`)
})

test('the limit is of all attempts of a request together', async () => {
  let isStale = false
  const server = await start('udp', () => {
    if (isStale) return undefined
    isStale = true
    Bun.sleepSync(200)
    return { error: refusedWith(438, Buffer.from('another nonce')) }
  })
  const error = await Allocation.open(server.name, { credentials, limitMs: 300 }).catch(error => error)
  assert.is((error as TurnError).code, 'E_TURN_UNREACHABLE')
  const [, after = 0] = copies(
    server.requests.filter(({ isSigned, lifetimeS }) => isSigned && lifetimeS !== 0),
  )
  // What is left of it is over before it would be sent again.
  assert.ok(after <= 1, `it was sent ${after} times`)
})

test('a server that takes a connection and says nothing is given up', async () => {
  const silent = createServer(socket => socket.on('error', () => {}))
  later(silent.listen(0, '127.0.0.1'))
  await once(silent, 'listening')
  const { port } = silent.address() as { port: number }
  const name = { host: '127.0.0.1', port, transport: 'tls' } as const
  const error = await Allocation.open(name, { credentials, limitMs: 100 }).catch(error => error)
  assert.is((error as TurnError).code, 'E_TURN_UNREACHABLE')
  assert.match((error as TurnError).message, 'did not answer within 0.1 s')
})

test('what a stream has not taken yet is sent when it closes: the allocation is given back', async () => {
  const server = await start('tcp', () => granted)
  const allocation = later(await Allocation.open(server.name, { credentials }))
  const permitted = () => server.requests.some(({ type }) => type === requestTypes.createPermission)
  allocation.permit(['192.0.2.1'])
  await until(permitted, 'the permission')
  const [connection] = server.connections
  connection!.pause()
  while (allocation.dropped === 0) allocation.send(Buffer.alloc(1_350), { address: '192.0.2.1', port: 9 })
  allocation.close()
  connection!.resume()
  await until(() => server.requests.some(({ lifetimeS }) => lifetimeS === 0), 'it to be given back')
})

test('a request that was lost is answered when it comes again', async () => {
  const lost = new Set<string>()
  const server = await start('udp', ({ message }) => {
    const text = message.toString('hex')
    if (lost.has(text)) return granted
    lost.add(text)
    return undefined
  })
  const { local } = later(await Allocation.open(server.name, { credentials }))
  assert.is(local.port, 4_000)
})

test('the next server is asked when the first has been silent for a moment, and not before', async () => {
  const silent = await start('udp', () => undefined)
  let askedAt = 0
  const second = await start('udp', () => {
    askedAt ||= performance.now()
    return granted
  })
  const began = performance.now()
  const servers = [silent.name, second.name]
  const { server } = later(await allocate({ servers, credentials }, { limitMs: 600_000 }))
  assert.match(server, String(second.name.port))
  assert.ok(askedAt - began > 200, `it was asked after ${askedAt - began} ms`)
})

test('an allocation is renewed well before it, or the permissions of five minutes, ends', () => {
  for (const [seconds, everyMs, ms] of [
    [600, undefined, 120_000],
    [3_600, undefined, 120_000],
    [400, undefined, 100_000],
    [100, undefined, 25_000],
    // A server may name any lifetime.
    [2, undefined, 1_000],
    [0, undefined, 1_000],
    [600, 500, 500],
  ] as const)
    assert.is(renewalMs(seconds, everyMs), ms, `${seconds} s`)
})

test('a server that stays silent is believed to keep the allocation for its lifetime, and no longer', async () => {
  const server = await start('udp', ({ type }) =>
    type === requestTypes.allocate ? { success: [lent, lifetime(1)] } : undefined,
  )
  const { lost } = later(await Allocation.open(server.name, { credentials, renewMs: 20, limitMs: 100 }))
  await until(() => lost.aborted, 'it to be lost')
  assert.is((lost.reason as TurnError).code, 'E_TURN_UNREACHABLE')
})

test.run()
