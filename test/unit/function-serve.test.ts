import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Log } from '../../function/log.ts'
import { createResolver } from '../../function/resolve.ts'
import { createRoom } from '../../function/room.ts'
import { type ServeOptions, streamServer } from '../../function/serve.ts'
import type { QuicStream } from '../../tunnel/quic/stream.ts'
import { encodeTarget } from '../../tunnel/session/frames/address.ts'
import { decodeReply, type Reply, reply } from '../../tunnel/session/frames/reply.ts'
import { command, encodeRequest } from '../../tunnel/session/frames/request.ts'
import { tunnelTo } from '../../tunnel/session/open-stream.ts'
import { freePort } from '../support/free-port.ts'
import { listenTo, type QuicPair, quicPair } from '../support/quic-pair.ts'
import { type Target, tcpServer } from '../support/servers.ts'
import { until } from '../support/until.ts'

// The exit's end of a session's streams, by a real QUIC connection.

interface Context {
  pair: QuicPair
  /** Reached by its address; it counts who comes and who goes. */
  target: Target & { came: number; gone: number }
  serve: (options?: Partial<ServeOptions>) => void
  /** A stream that asks for the target, and the exit's reply. */
  connect: (port?: number) => { stream: QuicStream; reply: Promise<Reply>; abort: () => void }
}

const test = suite<Context>('streams at the exit')
const host = '127.0.0.1'
const quiet: Log = { debug() {}, info() {}, warn() {}, error() {}, with: () => quiet }

test.before.each(async context => {
  context.pair = await quicPair()
  const { connection } = context.pair.client
  const target = await tcpServer(socket => {
    context.target.came++
    socket.resume().on('close', () => context.target.gone++)
  })
  context.target = Object.assign(target, { came: 0, gone: 0 })
  context.serve = options => {
    const resolver = createResolver('system', true)
    const { exit } = context.pair
    exit.connection.onStream = streamServer(exit.connection, {
      ...{ resolver, room: createRoom(100), log: quiet },
      ...options,
    })
  }
  context.connect = (port = target.port) => {
    const stream = connection.open()
    const stop = new AbortController()
    const asked = tunnelTo(stream, { command: 'connect', target: { host, port } }, stop.signal)
    asked.catch(() => {})
    return { stream, reply: asked, abort: () => stop.abort(new Error('given up')) }
  }
})
test.after.each(async ({ pair, target }) => {
  pair.close()
  await target.close()
})

test('a place is free again when its target was not reached, and when its connection has ended', async ({
  serve,
  connect,
  target,
}) => {
  serve({ room: createRoom(1) })
  const nobody = await freePort()
  for (let i = 0; i < 3; i++) assert.is((await connect(nobody).reply).code, reply.refused, `refusal ${i + 1}`)
  const first = connect()
  assert.is((await first.reply).code, reply.succeeded)
  const full = await connect().reply
  assert.equal([full.code, full.reason], [reply.failure, 'no-room'])
  first.stream.abort(0)
  await until(() => target.gone === 1, 'the end of the first')
  await until(async () => (await connect().reply).code === reply.succeeded, 'a place')
})

test('a session that is lost gives back the places of those that wait for their turn', async ({
  serve,
  connect,
  target,
  pair,
}) => {
  const room = createRoom(3)
  serve({ room, dialsPerSecond: 1 })
  const replies = [connect(), connect(), connect()].map(({ reply }) => reply)
  assert.is((await replies[0]!).code, reply.succeeded)
  await until(async () => (await connect().reply).reason === 'no-room', 'all places to be taken')
  pair.close()
  // In the process they are for other sessions.
  await until(() => {
    const places = [1, 2, 3].map(() => room.enter(quiet))
    for (const leave of places) leave?.()
    return places.every(leave => leave !== undefined)
  }, 'all places to be free')
  assert.is(target.came, 1, 'nobody was dialled for any more')
})

test('connections that come faster than the pace wait for their turn', async ({ serve, connect, target }) => {
  serve({ dialsPerSecond: 10 })
  const began = performance.now()
  const replies = await Promise.all(Array.from({ length: 14 }, () => connect().reply))
  assert.equal(new Set(replies.map(({ code }) => code)), new Set([reply.succeeded]))
  // The last four, at ten a second.
  assert.ok(performance.now() - began >= 390)
  assert.is(target.came, 14)
})

test('a target that is reached when the session is lost is left again', async ({
  serve,
  connect,
  target,
  pair,
}) => {
  const looking = Promise.withResolvers<void>()
  const found = Promise.withResolvers<void>()
  const room = createRoom(1)
  const resolve = async () => {
    looking.resolve()
    await found.promise
    return [{ address: host, family: 4 }]
  }
  serve({ resolver: { resolve }, room })
  connect()
  await looking.promise
  pair.close()
  found.resolve()
  await until(() => target.gone === 1, 'the end of the connection to the target')
  await until(() => room.enter(quiet) !== undefined, 'its place')
})

/** A stream that says these bytes, and what comes of it. */
function say({ pair }: Context, bytes: Uint8Array) {
  const stream = pair.client.connection.open()
  const heard = listenTo(stream)
  stream.write(bytes)
  return { stream, heard }
}

const request = encodeRequest({ command: 'connect', target: { host, port: 1 } })

test('a stream that does not say where it goes is broken off, in time or at its end', async context => {
  context.serve({ headerLimitMs: 100 })
  const { heard } = say(context, request.subarray(0, 3))
  await until(() => heard.broken, 'the exit to give it up')

  context.serve({ headerLimitMs: 600_000 })
  const ended = say(context, request.subarray(0, 3))
  ended.stream.end()
  await until(() => ended.heard.broken, 'the exit to give it up')
  assert.is(ended.heard.text, '')
})

test('one whose request was read in time is not', async context => {
  context.serve({ headerLimitMs: 100 })
  const { stream, reply: answer } = context.connect()
  assert.is((await answer).code, reply.succeeded)
  const heard = listenTo(stream)
  const began = performance.now()
  await until(() => performance.now() > began + 300, 'three times the limit')
  assert.not(heard.closed)
})

test('what is no request is refused as that', async context => {
  context.serve()
  for (const bytes of [encodeTarget({ host, port: 80 }, [0x7f]), Buffer.of(command.connect, 9, 1, 2, 3)]) {
    const chunks: Uint8Array[] = []
    const done = Promise.withResolvers<void>()
    const stream = context.pair.client.connection.open()
    stream.attach({
      data: chunk => void chunks.push(new Uint8Array(chunk)),
      end: done.resolve,
      drain() {},
      close: () => done.resolve(),
    })
    stream.write(bytes)
    await done.promise
    const { code, reason } = decodeReply(Buffer.concat(chunks))
    assert.equal([code, reason], [reply.failure, 'invalid-target'])
  }
})

test.run()
