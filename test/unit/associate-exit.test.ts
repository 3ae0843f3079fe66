import { Socket } from 'node:dgram'
import * as assert from 'uvu/assert'
import { associate } from '../../function/associate.ts'
import { AssociationTable, socketLimit } from '../../function/association-table.ts'
import { createResolver, LookupError } from '../../function/resolve.ts'
import type { PacketChannel } from '../../tunnel/session/packet-channel.ts'
import { associationSuite } from '../support/association-suite.ts'
import { until } from '../support/until.ts'

const test = associationSuite('UDP associations at the exit')
const host = '127.0.0.1'

/** A channel that stands alone, for the exit's end. */
function loneChannel() {
  const { promise: closed, resolve } = Promise.withResolvers<void>()
  const sent: string[] = []
  const refused: string[] = []
  const channel: PacketChannel = {
    silent: false,
    onPacket() {},
    onRefused() {},
    onClose() {},
    refuse: ({ host }, reason) => refused.push(`${host} ${reason}`) > 0,
    send: ({ data }) => sent.push(String(data)) > 0,
    close() {
      channel.onClose()
      resolve()
    },
  }
  return { channel, sent, refused, closed }
}

const quiet = { debug() {}, info() {}, warn() {}, error() {}, with: () => quiet }

test('the exit ends an association over which nothing goes', async ({ echo }) => {
  const { channel, sent, closed } = loneChannel()
  associate(channel, {
    resolver: createResolver('system', true),
    log: quiet,
    table: new AssociationTable(),
    idleMs: 50,
  })
  channel.onPacket({ target: { host, port: echo.port }, data: Buffer.from('hello') })
  await until(() => sent.length === 1, 'the echo')
  await closed
})

test('each packet, out and back, puts off its end', async ({ echo }) => {
  const idleMs = 123_456
  let putOff = 0
  const { setTimeout: real } = globalThis
  globalThis.setTimeout = ((action: () => void, ms: number) => {
    const timer = real(action, ms)
    if (ms !== idleMs) return timer
    const { refresh } = timer
    return Object.assign(timer, {
      refresh() {
        putOff++
        return refresh.call(timer)
      },
    })
  }) as typeof setTimeout
  const { channel, sent } = loneChannel()
  try {
    associate(channel, {
      resolver: createResolver('system', true),
      log: quiet,
      table: new AssociationTable(),
      idleMs,
    })
  } finally {
    globalThis.setTimeout = real
  }
  const before = putOff
  channel.onPacket({ target: { host, port: echo.port }, data: Buffer.from('hello') })
  assert.is(putOff, before + 1)
  await until(() => sent.length === 1, 'the echo')
  assert.is(putOff, before + 2)
  channel.close()
})

test('a name that is found when its association is over opens no socket', async () => {
  const { channel } = loneChannel()
  const found = Promise.withResolvers<void>()
  const table = new AssociationTable()
  const resolver = { resolve: () => found.promise.then(() => [{ address: host, family: 4 }]) }
  associate(channel, { resolver, log: quiet, table })
  channel.onPacket({ target: { host: 'slow.example', port: 9 }, data: Buffer.from('hello') })
  channel.close()
  found.resolve()
  await new Promise(resolve => setImmediate(resolve))
  assert.is(table.sockets.size, 0)
})

test('so many packets wait for their names, and no more; those that have waited make room', async () => {
  const { channel } = loneChannel()
  let asked = 0
  let answer = Promise.withResolvers<never>()
  const resolver = {
    resolve: () => {
      asked++
      return answer.promise
    },
  }
  associate(channel, { resolver, log: quiet, table: new AssociationTable() })
  const flood = () => {
    for (let i = 0; i < 3_000; i++)
      channel.onPacket({ target: { host: 'slow.example', port: 9 }, data: Buffer.of(0) })
  }
  flood()
  assert.is(asked, 2_048)
  const { reject } = answer
  answer = Promise.withResolvers<never>()
  reject(new LookupError('ENOTFOUND', 'nobody knows it'))
  await new Promise(resolve => setImmediate(resolve))
  flood()
  assert.is(asked, 2 * 2_048)
  answer.promise.catch(() => {})
  channel.close()
})

test('of a name’s addresses the IPv4 one is sent to', async ({ echo }) => {
  const { channel, sent } = loneChannel()
  const resolver = {
    resolve: async () => [
      { address: '2001:db8::1', family: 6 },
      { address: host, family: 4 },
    ],
  }
  associate(channel, { resolver, log: quiet, table: new AssociationTable() })
  channel.onPacket({ target: { host: 'both.example', port: echo.port }, data: Buffer.from('hello') })
  await until(() => sent.length === 1, 'the echo')
  channel.close()
})

test('forbidden addresses are sent nothing', async ({ echo }) => {
  const { channel, sent, refused: told } = loneChannel()
  const refused: unknown[] = []
  const log = { ...quiet, debug: (_message: string, fields?: object) => refused.push(fields) }
  const table = new AssociationTable()
  associate(channel, { resolver: createResolver('system', false), log, table })
  for (const name of [host, 'localhost', '::ffff:127.0.0.1', '2130706433'])
    channel.onPacket({ target: { host: name, port: echo.port }, data: Buffer.from('hello') })
  await until(() => refused.length === 4, 'four refusals')
  assert.is(echo.from.length + sent.length, 0)
  assert.is(told.length, 4)
  channel.close()
})

test('an idle socket of the exit’s gives way to others, and its association goes on with another', async ({
  echo,
}) => {
  const table = new AssociationTable({ sockets: 2, idleMs: 0 })
  const ends = [loneChannel(), loneChannel(), loneChannel()]
  for (const { channel } of ends)
    associate(channel, { resolver: createResolver('system', true), log: quiet, table })
  for (const round of [1, 2])
    for (const { channel, sent } of ends) {
      channel.onPacket({ target: { host, port: echo.port }, data: Buffer.from('hello') })
      await until(() => sent.length === round, 'the echo')
      assert.ok(table.sockets.size <= 2)
    }
  for (const { channel } of ends) channel.close()
  await until(() => table.sockets.size === 0, 'all sockets to be closed')
})

test('where the system has no socket left, that is told, and a later packet tries again', async ({
  echo,
}) => {
  const { channel, sent, refused } = loneChannel()
  const warned: string[] = []
  const log = { ...quiet, warn: (message: string) => warned.push(message) }
  const table = new AssociationTable()
  const idle = { usedAt: performance.now() - 5_000, giveUp: () => table.sockets.delete(idle) }
  table.addSocket(idle)
  associate(channel, { resolver: createResolver('system', true), log, table })
  const { bind } = Socket.prototype
  let failures = 2
  Socket.prototype.bind = function (this: Socket, ...args: unknown[]) {
    if (failures-- <= 0) return Reflect.apply(bind, this, args)
    const error = Object.assign(new Error('bind EMFILE'), { code: 'EMFILE', syscall: 'bind' })
    queueMicrotask(() => this.emit('error', error))
    return this
  } as typeof bind
  try {
    const packet = () => channel.onPacket({ target: { host, port: echo.port }, data: Buffer.from('hello') })
    const knock = setInterval(packet, 10)
    await until(() => sent.length > 0, 'the echo')
    clearInterval(knock)
  } finally {
    Socket.prototype.bind = bind
  }
  assert.equal(refused, ['127.0.0.1 no-room'])
  assert.is(warned.length, 1)
  assert.not(table.sockets.has(idle), 'what is idle makes room')
  assert.is(table.sockets.size, 1)
  channel.close()
})

test('where the system has no socket left, sixteen that were idle for a second are given up', () => {
  const table = new AssociationTable()
  const now = performance.now()
  const socket = (idleMs: number) => {
    const self = { usedAt: now - idleMs, giveUp: () => table.sockets.delete(self) }
    table.addSocket(self)
    return self
  }
  const busy = Array.from({ length: 20 }, () => socket(0))
  for (let i = 0; i < 20; i++) socket(2_000)
  table.freeSockets()
  assert.is(table.sockets.size, 24)
  table.freeSockets()
  assert.equal([...table.sockets], busy)
})

test('of a process’s descriptors half are for sockets of associations, and 2,048 at most', () => {
  assert.equal([socketLimit(1_024), socketLimit(65_536), socketLimit()], [512, 2_048, 2_048])
})

test('an exit that has too many associations gives up the idlest, and none that is in use', () => {
  const gone: string[] = []
  const tables = { idle: new AssociationTable({ max: 2, idleMs: 0 }), busy: new AssociationTable({ max: 2 }) }
  for (const table of Object.values(tables)) {
    const idler = (name: string, usedAt: number) => {
      const self = {
        usedAt,
        giveUp() {
          gone.push(name)
          table.leave(self)
        },
      }
      return self
    }
    const now = performance.now()
    table.enter(idler('newer', now))
    table.enter(idler('older', now - 5_000))
  }
  assert.ok(tables.idle.makeRoom())
  assert.equal(gone, ['older'])
  assert.not(tables.busy.makeRoom())
  assert.equal(gone, ['older'])
})

test.run()
