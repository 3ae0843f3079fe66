import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Exits, NoExitError } from '../../cli/client/fleet/exits.ts'
import type { OutboundError } from '../../cli/client/outbound/outbound.ts'
import { tunnelOutbound } from '../../cli/client/outbound/tunnel.ts'
import { closeCodes } from '../../tunnel/quic/close-codes.ts'
import { reply } from '../../tunnel/session/frames/reply.ts'
import { freePort } from '../support/free-port.ts'
import { type NearExit, type NearExitOptions, nearExit } from '../support/near-exit.ts'
import { listenTo } from '../support/quic-pair.ts'
import { type Target, tcpServer } from '../support/servers.ts'
import { until } from '../support/until.ts'

interface Context {
  server: Target
  /** Exits that are given out one after another; the last one again and again. */
  exits: Exits & { asked: number; toldFull: number; all: NearExit[] }
  start: (...options: NearExitOptions[]) => Promise<NearExit[]>
}

const test = suite<Context>('the outbound through an exit')
const host = '127.0.0.1'
const signal = new AbortController().signal

test.before.each(async context => {
  context.server = await tcpServer(socket => void socket.end('hello'))
  const all: NearExit[] = []
  const exits: Context['exits'] = {
    all,
    asked: 0,
    toldFull: 0,
    select(request, limitMs) {
      const exit = all[Math.min(exits.asked++, all.length - 1)]
      if (!exit) throw new Error('there is no exit')
      return exit.select(request, limitMs)
    },
    full: () => void exits.toldFull++,
    mayReuse: () => true,
  }
  context.exits = exits
  context.start = async (...options) => {
    for (const each of options) all.push(await nearExit(each))
    return all
  }
})
test.after.each(async ({ server, exits }) => {
  for (const exit of exits.all) exit.close()
  await server.close()
})

const failure = (work: Promise<unknown>) =>
  work.then(
    () => assert.unreachable('it was reached') as never,
    (error: unknown) => error as OutboundError,
  )

/** An exit that has no room for anybody. */
const full: NearExitOptions = { connections: 0 }

test('where an exit is full others are asked, and it is told to be', async ({ server, exits, start }) => {
  await start(full, full, {})
  const { conn } = await tunnelOutbound(exits)({ host, port: server.port }, { signal })
  const heard = listenTo(conn)
  await until(() => heard.ended, 'what the target says')
  assert.is(heard.text, 'hello')
  assert.equal([exits.asked, exits.toldFull], [3, 2])
  conn.end()
})

test('after five that are full there is no sixth', async ({ exits, start }) => {
  await start(full)
  const error = await failure(tunnelOutbound(exits)({ host, port: 9 }, { signal }))
  assert.equal([error.code, error.kind, exits.asked], ['E_EXIT_FULL', 'refused', 5])
})

test('where none comes up in the place of a full one, it is that the exit was full', async ({
  exits,
  start,
}) => {
  const [only] = await start(full)
  const { select } = exits
  exits.select = (request, limitMs) => {
    if (exits.asked === 1) only!.vanish()
    return select(request, limitMs)
  }
  assert.is((await failure(tunnelOutbound(exits)({ host, port: 9 }, { signal }))).code, 'E_EXIT_FULL')
})

test('an exit that is lost gives way to another, once', async ({ server, exits, start }) => {
  const [first, second] = await start({}, {}, {})
  first!.close()
  const { conn } = await tunnelOutbound(exits)({ host, port: server.port }, { signal })
  assert.is(exits.asked, 2)
  conn.abort(0)
  second!.close()
  exits.asked = 0
  const error = await failure(tunnelOutbound(exits)({ host, port: server.port }, { signal }))
  assert.equal([error.kind, error.reply, exits.asked], ['exit-lost', reply.failure, 2])
})

test('a refused target is refused, and its stream is given back', async ({ exits, start }) => {
  const [exit] = await start({})
  const error = await failure(tunnelOutbound(exits)({ host, port: await freePort() }, { signal }))
  assert.equal([error.code, exits.asked], ['E_TARGET_REFUSED', 1])
  await until(() => exit!.streams() === 0, 'the stream to be gone')
})

test('a login that may not use the region is refused, and without an exit it is us who cannot', async ({
  exits,
}) => {
  for (const [code, kind, answer] of [
    ['E_REGION_NOT_ALLOWED', 'refused', reply.notAllowed],
    ['E_EXIT_TIMEOUT', 'no-exit', reply.failure],
  ] as const) {
    exits.select = () => Promise.reject(new NoExitError(code, 'as told'))
    const error = await failure(tunnelOutbound(exits)({ host, port: 9 }, { signal }))
    assert.equal([error.code, error.kind, error.reply], [code, kind, answer])
  }
})

test('for a requester that has gone meanwhile no stream is opened', async ({ exits, start }) => {
  await start({})
  const gone = new AbortController()
  const { select } = exits
  exits.select = async (request, limitMs) => {
    const session = await select(request, limitMs)
    session.connection.open = () => assert.unreachable('a stream was opened') as never
    gone.abort(new Error('gone'))
    return session
  }
  const error = await failure(tunnelOutbound(exits)({ host, port: 9 }, { signal: gone.signal }))
  assert.is(error.message, 'gone')
})

test('a connection that ends with its function’s time is told from others', async ({
  server,
  exits,
  start,
}) => {
  for (const [closeCode, expected] of [
    [closeCodes.deadline, 'deadline'],
    [closeCodes.bye, undefined],
  ] as const) {
    const exit = (await start({})).at(-1)!
    exits.select = exit.select
    const { conn, brokenBy } = await tunnelOutbound(exits)({ host, port: server.port }, { signal })
    assert.is(brokenBy?.(), undefined)
    const { connection } = await exit.select({ host }, 1)
    connection.close(closeCode)
    await connection.closed
    assert.is(brokenBy?.(), expected)
    conn.abort(0)
  }
})

test.run()
