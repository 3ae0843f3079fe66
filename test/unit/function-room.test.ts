import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Log } from '../../function/log.ts'
import { createRoom, roomSize } from '../../function/room.ts'
import { reply } from '../../tunnel/session/frames/reply.ts'
import { nearProxy } from '../support/near-proxy.ts'
import { tcpServer } from '../support/servers.ts'
import { socksConnect } from '../support/socks-client.ts'
import { until } from '../support/until.ts'

const test = suite("The function's room for connections")

test('it follows from the memory and the descriptors', () => {
  assert.is(roomSize(128, 1_024), 600)
  assert.is(roomSize(256, 1_024), 900)
  assert.is(roomSize(10_240, 1_024), 900)
  assert.is(roomSize(128), 600)
  assert.is(roomSize(64, 100), 1)
})

test('a place is free again once, and that there is none is said once', () => {
  const told: string[] = []
  const log = { warn: (message: string) => void told.push(message) } as Partial<Log> as Log
  const room = createRoom(2)
  const [first, second] = [room.enter(log), room.enter(log)]
  for (let i = 0; i < 3; i++) assert.is(room.enter(log), undefined)
  assert.is(told.length, 1)
  first!()
  first!()
  assert.type(room.enter(log), 'function')
  assert.is(room.enter(log), undefined)
  assert.is(told.length, 2)
  second!()
  assert.type(room.enter(log), 'function')
})

test('who asks a full exit is told so by its code, and gets in when somebody has left', async () => {
  const target = await tcpServer(socket => socket.on('end', () => socket.end()).resume())
  const proxy = await nearProxy({ exit: { connections: 3 } })
  const to = { proxy: proxy.port, host: '127.0.0.1', port: target.port }
  const open = await Promise.all([1, 2, 3].map(() => socksConnect(to)))
  const refused = await socksConnect(to).then(
    () => undefined,
    error => error.reply,
  )
  assert.is(refused, reply.failure)
  await until(() => proxy.told('connection.refused').length > 0, 'the event')
  assert.is(proxy.told('connection.refused')[0]!.code, 'E_EXIT_FULL')
  assert.ok(proxy.exit.toldFull > 0)
  open[0]!.destroy()
  await until(async () => {
    try {
      open.push(await socksConnect(to))
      return true
    } catch {
      return false
    }
  }, 'a place')
  for (const socket of open) socket.destroy()
  proxy.close()
  await target.close()
})

test.run()
