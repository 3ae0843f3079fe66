import { connect, type Socket } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { OutboundError } from '../../cli/client/outbound/outbound.ts'
import { reply } from '../../tunnel/session/frames/reply.ts'
import { converse, type NearProxy, type NearProxyOptions, nearProxy } from '../support/near-proxy.ts'
import { type RawOrigin, rawOrigin } from '../support/raw-origin.ts'
import { until } from '../support/until.ts'

interface Context {
  proxy: NearProxy
  origin: RawOrigin
  start(options: NearProxyOptions): Promise<NearProxy>
}

const test = suite<Context>('limits of the proxy')

test.before.each(async context => {
  context.origin = await rawOrigin(heard =>
    heard.endsWith('\r\n\r\n')
      ? { say: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', end: true }
      : undefined,
  )
  context.start = async options => {
    context.proxy = await nearProxy(options)
    return context.proxy
  }
})
test.after.each(async ({ proxy, origin }) => {
  proxy.close()
  await origin.close()
})

/** A connection that says this and waits; `ended` when it is over. */
function linger(port: number, bytes = ''): Socket & { ended: Promise<void> } {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  if (bytes) socket.write(bytes, 'latin1')
  const ended = new Promise<void>(resolve => socket.on('close', () => resolve()))
  return Object.assign(socket, { ended })
}

const head = 'GET http://127.0.0.1/ HTTP/1.1\r\nHost: x\r\nX: slow and long and never done'

test('1,000 clients that say nothing are rejected, and others are served meanwhile', async ({
  start,
  origin,
}) => {
  const { port } = await start({ limits: { handshakeMs: 1_500 } })
  const silent = Array.from({ length: 1_000 }, () => linger(port).resume())
  const get = `GET http://127.0.0.1:${origin.port}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`
  assert.match(await converse(port, get), /ok$/)
  await Promise.all(silent.map(({ ended }) => ended))
})

test('a client that sends a byte now and then does not hold its place', async ({ start }) => {
  const { port } = await start({ limits: { handshakeMs: 400 } })
  for (const bytes of [head, '\x05\x02\x00\x02\x01\x05alice\x06secret\x05\x01\x00\x03']) {
    const slow = linger(port).resume()
    let said = ''
    slow.setNoDelay(true).on('data', chunk => {
      said += chunk.toString('latin1')
    })
    let sent = 0
    const timer = setInterval(() => slow.write(bytes[sent++ % bytes.length]!, 'latin1'), 20)
    await slow.ended
    clearInterval(timer)
    assert.ok(sent < bytes.length, 'it was not served to its end')
    if (bytes === head) assert.match(said, /^HTTP\/1\.1 408 /)
  }
})

test('one client too many is told so in its own protocol, and there is room again when others go', async ({
  start,
  origin,
}) => {
  const { port } = await start({ limits: { clients: 3 } })
  const connected = `CONNECT 127.0.0.1:${origin.port} HTTP/1.1\r\nHost: x\r\n\r\n`
  const sitting = Array.from({ length: 3 }, () => linger(port, connected))
  for (const socket of sitting) await new Promise(resolve => socket.once('data', resolve))
  const get = `GET http://127.0.0.1:${origin.port}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`
  assert.match(await converse(port, get), /^HTTP\/1\.1 503 .*3 clients/s)
  assert.is(await converse(port, '\x05\x01\x00'), '\x05\xff')
  for (const socket of sitting) socket.destroy()
  await Promise.all(sitting.map(({ ended }) => ended))
  let said = ''
  do said = await converse(port, get)
  while (said.startsWith('HTTP/1.1 503'))
  assert.match(said, /ok$/)
})

test('a client that never reads holds a bounded part of what is sent to it, and nothing when it is gone', async ({
  start,
}) => {
  const proxy = await start({})
  const chunk = 'x'.repeat(64 * 1024)
  const pouring = await rawOrigin((heard, socket) => {
    if (!heard.endsWith('\r\n\r\n')) return undefined
    const pour = () => {
      while (!socket.destroyed) if (!socket.write(chunk)) return void socket.once('drain', pour)
    }
    setImmediate(pour)
    return 'HTTP/1.1 200 OK\r\nContent-Length: 9000000000\r\n\r\n'
  })
  const requests = [
    `CONNECT 127.0.0.1:${pouring.port} HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\n\r\n`,
    `GET http://127.0.0.1:${pouring.port}/ HTTP/1.1\r\nHost: x\r\n\r\n`,
  ]
  const deaf = requests.map(request => linger(proxy.port, request).pause())
  await until(() => proxy.open() === 2, 'both connections')
  const carried = () => proxy.told('connection.opened').map(({ counts }) => counts?.down ?? 0)
  let last = carried()
  let since = performance.now()
  await until(() => {
    const now = carried()
    if (now.join() !== last.join() || now.includes(0)) {
      last = now
      since = performance.now()
    }
    return performance.now() - since > 500
  }, 'the flow to stand still')
  // What the kernel's buffers at both ends of a loopback connection hold, and little more.
  for (const bytes of last) assert.ok(bytes < 16 * 1024 * 1024, `${bytes} bytes were taken`)
  for (const socket of deaf) socket.destroy()
  await until(() => proxy.open() === 0 && proxy.exit.streams() === 0, 'everything to be closed')
  await pouring.close()
})

test('a client that has ended its side keeps a silent server for a shorter time, yet gets a late answer', async ({
  start,
}) => {
  const proxy = await start({ limits: { silence: { openMs: 600_000, endedMs: 500 } } })
  const answers = new Set<() => void>()
  const silent = await rawOrigin((heard, socket) => {
    if (!heard.endsWith('\r\n\r\n')) return undefined
    answers.add(() => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate', 'latin1'))
    return ''
  })
  const get = `GET http://127.0.0.1:${silent.port}/ HTTP/1.1\r\nHost: x\r\n\r\n`
  const halfClosed = () => {
    const socket = linger(proxy.port, get)
    let said = ''
    socket.on('data', chunk => {
      said += chunk.toString('latin1')
    })
    socket.end()
    return { ended: socket.ended, said: () => said }
  }

  const answered = halfClosed()
  await until(() => answers.size === 1, 'the request to arrive')
  for (const answer of answers) answer()
  await answered.ended
  assert.match(answered.said(), /late$/)

  const gone = halfClosed()
  await gone.ended
  assert.match(gone.said(), /^HTTP\/1\.1 504 /)
  await until(() => proxy.open() === 0, 'the connection to the server to be closed')
  await silent.close()
})

test('a client that goes on after a refusal, and never leaves, is cut off', async ({ start }) => {
  const { port } = await start({})
  const stubborn = linger(port, '\x05\x01\x01')
  stubborn.resume()
  const timer = setInterval(() => stubborn.write('x'), 20)
  await stubborn.ended
  clearInterval(timer)
})

test('while connections may not be made for another reason, clients are told so', async () => {
  const proxy = await nearProxy({
    gate() {
      throw new OutboundError('unavailable', reply.failure, {
        code: 'E_AUDIT_UNWRITABLE',
        message: 'not now',
      })
    },
  })
  const http = await converse(proxy.port, 'CONNECT example.org:80 HTTP/1.1\r\nHost: example.org\r\n\r\n')
  assert.match(http, /^HTTP\/1\.1 503 /)
  const socks = await converse(proxy.port, Buffer.of(5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1, 0, 80))
  assert.is(socks.charCodeAt(3), reply.failure)
  const udp = await converse(proxy.port, Buffer.of(5, 1, 0, 5, 3, 0, 1, 0, 0, 0, 0, 0, 0))
  assert.is(udp.charCodeAt(3), reply.failure)
  assert.equal(
    proxy.told('connection.failed').map(({ code }) => code),
    ['E_AUDIT_UNWRITABLE', 'E_AUDIT_UNWRITABLE'],
  )
  assert.is(proxy.exit.requests.length, 0)
  proxy.close()
})

test.run()
