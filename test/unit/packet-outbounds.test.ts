import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Exits } from '../../cli/client/fleet/exits.ts'
import { directPackets } from '../../cli/client/outbound/direct-packets.ts'
import { tunnelPackets } from '../../cli/client/outbound/tunnel-packets.ts'
import { createEvents, type ProxyEvent } from '../../cli/client/stats/events.ts'
import type { Packet } from '../../tunnel/session/frames/packet.ts'
import { type NearExit, nearExit } from '../support/near-exit.ts'
import { type UdpServer, udpEcho } from '../support/udp-client.ts'
import { until } from '../support/until.ts'

interface Context {
  echo: UdpServer
  exit: NearExit
  stop: AbortController
  told: ProxyEvent[]
  /** What came back, and what was said to be lost. */
  back: string[]
  lost: string[]
  tunnel: (exits: Exits) => (packet: Packet) => void
  direct: () => (packet: Packet) => void
}

const test = suite<Context>('outbounds for packets')
const host = '127.0.0.1'

test.before.each(async context => {
  context.echo = await udpEcho()
  context.exit = await nearExit()
  context.stop = new AbortController()
  context.told = []
  context.back = []
  context.lost = []
  const events = createEvents()
  events.subscribe(event => context.told.push(event))
  const common = {
    events,
    signal: context.stop.signal,
    onPacket: ({ data }: Packet) => void context.back.push(Buffer.from(data).toString()),
  }
  context.tunnel = exits =>
    tunnelPackets({ ...common, exits, onLost: ({ host }) => void context.lost.push(host) })
  context.direct = () => directPackets(common)
})
test.after.each(({ echo, exit, stop }) => {
  stop.abort()
  exit.close()
  echo.close()
})

const to = ({ echo }: Context, text: string): Packet => ({
  target: { host, port: echo.port },
  data: Buffer.from(text),
})

/** Sends a packet whose bytes are somebody else's as soon as it was given. */
function sendOnce(send: (packet: Packet) => void, packet: Packet): void {
  send(packet)
  Buffer.from(packet.data.buffer, packet.data.byteOffset, packet.data.length).fill('#')
}

const counts = ({ told }: Context) =>
  told.flatMap(event => (event.type === 'connection.closed' ? [event] : []))

for (const way of ['tunnel', 'direct'] as const)
  test(`${way}: a packet that waits is sent as it was, and counted; the end is the requester's`, async context => {
    const send = way === 'tunnel' ? context.tunnel(context.exit) : context.direct()
    sendOnce(send, to(context, 'as it was'))
    await until(() => context.back.length === 1, 'the echo')
    assert.equal(context.back, ['as it was'])
    context.stop.abort()
    await until(() => counts(context).length === 1, 'its end')
    const [{ bytesUp, bytesDown, end }] = counts(context) as [ReturnType<typeof counts>[0]]
    assert.equal([bytesUp, bytesDown, end], [9, 9, 'complete'])
  })

test('direct: a name is not looked up here', async context => {
  const send = context.direct()
  send({ target: { host: 'localhost', port: context.echo.port }, data: Buffer.from('by name') })
  send(to(context, 'by address'))
  await until(() => context.back.length === 1, 'the echo')
  assert.equal(context.back, ['by address'])
  assert.is(context.echo.from.length, 1)
})

test('direct: where the system has no socket, the next packet tries again', async context => {
  const { udpSocket } = Bun
  let failures = 1
  Bun.udpSocket = ((...given: unknown[]) =>
    failures-- > 0
      ? Promise.reject(Object.assign(new Error('no descriptors'), { code: 'EMFILE' }))
      : Reflect.apply(udpSocket, Bun, given)) as typeof udpSocket
  try {
    const send = context.direct()
    send(to(context, 'lost'))
    await new Promise(resolve => setImmediate(resolve))
    send(to(context, 'sent'))
    await until(() => context.back.length === 1, 'the echo')
    assert.equal(context.back, ['sent'])
  } finally {
    Bun.udpSocket = udpSocket
  }
})

test('tunnel: an exit that is lost ends what is told of it, and the next packet opens another', async context => {
  const second = await nearExit()
  const exits = { ...context.exit, select: context.exit.select }
  const send = context.tunnel(exits)
  send(to(context, 'first'))
  await until(() => context.back.length === 1, 'the echo')
  exits.select = second.select
  context.exit.close()
  await until(() => counts(context).length === 1, 'its end')
  assert.is(counts(context)[0]!.end, 'target-closed')
  send(to(context, 'second'))
  await until(() => context.back.length === 2, 'the echo')
  second.close()
})

test('tunnel: an exit that has fallen silent is left for another', async context => {
  const second = await nearExit()
  const exits = { ...context.exit, select: context.exit.select }
  const send = context.tunnel(exits)
  send(to(context, 'first'))
  await until(() => context.back.length === 1, 'the echo')
  const { connection } = await context.exit.select({ host }, 1)
  Object.defineProperty(connection, 'silent', { value: true })
  exits.select = second.select
  send(to(context, 'second'))
  await until(() => context.back.length === 2, 'the echo')
  assert.is(second.streams(), 1)
  second.close()
})

test('tunnel: after a failure no exit is asked for a second, and what comes meanwhile is lost', async context => {
  let asked = 0
  const exits: Exits = {
    ...context.exit,
    select() {
      asked++
      return Promise.reject(new Error('no exit came up'))
    },
  }
  const { now } = performance
  let passed = 0
  performance.now = () => now.call(performance) + passed
  try {
    const send = context.tunnel(exits)
    for (const ms of [0, 0, 900]) {
      passed += ms
      send(to(context, 'lost'))
      await new Promise(resolve => setImmediate(resolve))
    }
    assert.is(asked, 1)
    assert.equal(context.lost, [host])
    passed += 1_000
    send(to(context, 'lost'))
    assert.is(asked, 2)
  } finally {
    performance.now = now
  }
})

test('tunnel: of what waits for an exit a quarter of a megabyte is kept, each time anew', async context => {
  const all = [context.exit, await nearExit()]
  let coming = Promise.withResolvers<NearExit>()
  const exits: Exits = {
    ...context.exit,
    select: async (...request) => (await coming.promise).select(...request),
  }
  const send = context.tunnel(exits)
  for (const [round, exit] of all.entries()) {
    const before = context.echo.from.length
    for (let i = 0; i < 1_000; i++) send(to(context, 'x'.repeat(768)))
    coming.resolve(exit)
    await until(() => context.back.length > 0, 'the first of them')
    send(to(context, 'behind them'))
    await until(() => context.back.includes('behind them'), 'the last of them')
    // Each counts as 1 KB: its data, and what it takes to keep it.
    const kept = context.echo.from.length - before - 1
    assert.ok(kept > 0 && kept < 256, `${kept} were kept`)
    context.back.length = 0
    coming = Promise.withResolvers()
    exit.close()
    await until(() => counts(context).length === round + 1, 'the end of this one')
  }
})

test.run()
