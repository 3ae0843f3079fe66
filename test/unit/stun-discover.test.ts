import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { startStun } from '../../cli/cloud/stun.ts'
import { discover, StunError } from '../../tunnel/nat/stun/discover.ts'
import { bindingRequest, checkResponse } from '../../tunnel/nat/stun/message.ts'
import { openUdpSocket } from '../../tunnel/net/udp/open.ts'
import type { UdpSocket } from '../../tunnel/net/udp/socket.ts'
import { closeAfterEach } from '../support/close-after-each.ts'

interface Context {
  socket: UdpSocket
  /** A port of 127.0.0.1 where something hears and `answer` says what it sends back, if anything. */
  server: (answer?: (request: Buffer, count: number) => Buffer | undefined) => Promise<number>
  /** A real STUN server's port. */
  real: () => Promise<number>
}

const host = '127.0.0.1'
const name = (port: number) => ({ host, port })
const test = suite<Context>('STUN discovery')
const later = closeAfterEach(test)

test.before.each(async context => {
  context.socket = later(await openUdpSocket({ address: host }))
  context.server = async (answer = () => undefined) => {
    const server = later(createSocket('udp4'))
    let count = 0
    server.on('message', (request, from) => {
      const response = answer(request, ++count)
      if (response) server.send(response, from.port, from.address)
    })
    server.bind(0, host)
    await once(server, 'listening')
    return server.address().port
  }
  context.real = async () => later(await startStun(host, 0)).port
})

async function failure(run: Promise<unknown>): Promise<Error> {
  try {
    await run
  } catch (error) {
    return error as Error
  }
  throw new Error('it was to fail')
}

/** A success response to this request, with whatever address. */
const success = (request: Buffer, mapped = name(1)) =>
  checkResponse(request.toString('hex', 8, 20), { address: mapped.host, port: mapped.port }, 'x')
/** A Binding error response without attributes. */
const refusal = (request: Buffer) => Buffer.concat([Buffer.of(0x01, 0x11, 0, 0), request.subarray(4, 20)])

test("the socket's own address comes back, with the server that saw it", async ({ socket, real }) => {
  const port = await real()
  const [view, ...others] = await discover(socket, [name(port)])
  assert.is(others.length, 0)
  assert.is(view?.server, `${host}:${port}`)
  assert.equal(view?.mapped, { address: host, port: socket.local.port })
  assert.equal(view?.from, { address: host, port })
})

test('where one is silent, the next is asked', async ({ socket, server, real }) => {
  const [silent, port] = [await server(), await real()]
  const [mapping] = await discover(socket, [name(silent), name(port)])
  assert.is(mapping?.server, `${host}:${port}`)
})

test('where one answers with an error, or has a name that is not found, the next is asked', async ({
  socket,
  server,
  real,
}) => {
  const [refusing, port] = [await server(refusal), await real()]
  const nowhere = { host: 'nowhere.invalid', port: 3478 }
  const [mapping] = await discover(socket, [name(refusing), nowhere, name(port)])
  assert.is(mapping?.server, `${host}:${port}`)
})

test('a request that is lost is sent again, the same', async ({ socket, server }) => {
  const seen: string[] = []
  const port = await server((request, count) => {
    seen.push(request.toString('hex'))
    return count === 2 ? success(request) : undefined
  })
  await discover(socket, [name(port)])
  assert.is(seen.length, 2)
  assert.is(seen[0], seen[1])
})

test('two views are given when two are wanted', async ({ socket, real }) => {
  const ports = [await real(), await real(), await real()]
  const mappings = await discover(socket, ports.map(name), { want: 2 })
  assert.is(mappings.length, 2)
  for (const { mapped } of mappings) assert.is(mapped.port, socket.local.port)
})

test('one view is better than none when two are wanted', async ({ socket, server, real }) => {
  const ports = [await real(), await server()]
  // Long before its limit: the second view is not worth waiting for.
  assert.is((await discover(socket, ports.map(name), { want: 2, limitMs: 200_000 })).length, 1)
})

test('when all are silent the error says what became of each, and what to do', async ({ socket, server }) => {
  const [silent, refusing] = [await server(), await server(refusal)]
  const servers = [{ host: 'nowhere.invalid', port: 3478 }, name(refusing), name(silent)]
  const error = await failure(discover(socket, servers, { limitMs: 1_000 }))
  assert.instance(error, StunError)
  assert.match(error.message, `${host}:${silent} (no answer)`)
  assert.match(error.message, `${host}:${refusing} (refused)`)
  assert.match(error.message, 'nowhere.invalid:3478 (name not found)')
  assert.is((error as StunError).code, 'E_STUN_UNREACHABLE')
  assert.match((error as StunError).hint!, 'name another server')
})

test('when no name is found it does not wait for the limit', async ({ socket }) => {
  const servers = [
    { host: 'nowhere.invalid', port: 1 },
    { host: 'neither.invalid', port: 1 },
  ]
  const error = await failure(discover(socket, servers, { limitMs: 200_000 }))
  assert.match(error.message, 'neither.invalid:1 (name not found)')
  assert.is((error as StunError).code, 'E_STUN_NAME_NOT_FOUND')
})

test('answers of another transaction, from another source, or that are none are not taken', async ({
  socket,
  server,
}) => {
  const stranger = later(createSocket('udp4'))
  const port = await server((request, count) => {
    // The right answer from the wrong place.
    stranger.send(success(request), socket.local.port, host)
    return [bindingRequest().datagram, Buffer.alloc(20), refusal(Buffer.alloc(20))][count - 1]
  })
  const error = await failure(discover(socket, [name(port)], { limitMs: 800 }))
  assert.match(error.message, 'no answer')
})

test('an abort ends it with its own reason', async ({ socket, server }) => {
  const stop = new AbortController()
  const running = failure(discover(socket, [name(await server())], { signal: stop.signal }))
  stop.abort(new Error('enough'))
  assert.is((await running).message, 'enough')
  assert.is((await failure(discover(socket, [name(1)], { signal: stop.signal }))).message, 'enough')
})

test.run()
