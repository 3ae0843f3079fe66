import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { NodeConn } from '../../tunnel/net/node-conn.ts'

// A connection by node:net, on this runtime.

test('what came in one read is all delivered, though the owner pauses within it and the peer breaks off', async () => {
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.write(Buffer.alloc(20_000, 'x'), () => socket.resetAndDestroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const conn = new NodeConn()
  const closed = Promise.withResolvers<boolean>()
  let length = 0
  conn.socket.connect(port, '127.0.0.1', () =>
    conn.attach({
      data(chunk) {
        if (length === 0) {
          conn.pause()
          setImmediate(() => setImmediate(() => conn.resume()))
        }
        length += chunk.length
      },
      end() {},
      drain() {},
      close: closed.resolve,
    }),
  )
  assert.is(await closed.promise, true, 'told as an end in good order')
  assert.is(length, 20_000)
  server.close()
})

test.run()
