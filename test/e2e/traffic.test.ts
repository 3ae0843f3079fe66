import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { content, sha256 } from '../lab/content.ts'
import { finish } from '../lab/running.ts'
import { forward } from '../support/forward.ts'
import { type LocalProxy, startProxy } from '../support/local-proxy.ts'
import { need } from '../support/need.ts'
import { rawClient } from '../support/raw-client.ts'
import { type Target, tcpServer, webServer } from '../support/servers.ts'
import { socksConnect } from '../support/socks-client.ts'

interface Context {
  proxy: LocalProxy
  web: Target
  url: string
  /** A connection through the proxy to a server of this machine. */
  open: (target: Target) => Promise<Socket>
  curl: (script: string, ...args: string[]) => Promise<string>
}

const host = '127.0.0.1'
const test = suite<Context>('Traffic through the tunnel')

test.before(async context => {
  context.proxy = await startProxy()
  context.web = webServer()
  context.url = `http://${host}:${context.web.port}`
  context.open = target => socksConnect({ proxy: context.proxy.port, host, port: target.port })
  const curl = `curl -sSf --max-time 120 --socks5-hostname ${host}:${context.proxy.port}`
  context.curl = (script, ...args) =>
    finish(['bash', '-o', 'pipefail', '-c', script.replaceAll('curl', curl), 'bash', ...args])
})
test.after(async ({ proxy, web }) => {
  await proxy.close()
  await web.close()
})

/** All that a socket brings before its end: how many bytes, and their SHA-256. */
async function drain(socket: Socket) {
  const hash = createHash('sha256')
  let length = 0
  socket.on('data', chunk => {
    hash.update(chunk)
    length += chunk.length
  })
  socket.resume()
  await once(socket, 'end')
  return { length, hash: hash.digest('hex') }
}

/** Greeting and request at once. */
const connectTo = ({ port }: Target) => Buffer.of(5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1, port >> 8, port & 255)

const large = 100_000_000

test('curl brings 100 MB down as they were', async ({ curl, url }) => {
  assert.match(await curl('curl "$1" | sha256sum', `${url}/bytes/${large}`), sha256(content(large)))
})

test('curl takes 100 MB up as they were', async ({ curl, url, proxy }) => {
  const file = join(proxy.folder, 'upload')
  await writeFile(file, content(large))
  assert.is(await curl('curl -X POST -H "Expect:" -T "$1" "$2"', file, url), sha256(content(large)))
})

test('several requests share a connection that is kept alive', async ({ curl, url }) => {
  const each = ' -o /dev/null -w "%{num_connects} %{size_download}\\n"'
  const requests = `"$1"${each} `.repeat(5)
  const lines = (await curl(`curl ${requests}`, `${url}/bytes/1000`)).trim().split('\n')
  assert.equal(lines, ['1 1000', '0 1000', '0 1000', '0 1000', '0 1000'])
})

test('200 connections are open at once, and each gets its own bytes', async ({ open }) => {
  const most = 200
  const waiting: Socket[] = []
  // Nobody is answered before all have come.
  const target = await tcpServer(socket => {
    if (waiting.push(socket) < most) return
    for (const each of waiting) each.on('data', chunk => each.write(chunk)).on('end', () => each.end())
  })
  const sockets = await Promise.all(Array.from({ length: most }, () => open(target)))
  const received = sockets.map(drain)
  for (const [i, socket] of sockets.entries()) socket.end(content(20_000 + i))
  for (const [i, each] of (await Promise.all(received)).entries())
    assert.equal(each, { length: 20_000 + i, hash: sha256(content(20_000 + i)) })
  await target.close()
})

test('200 readers that begin to read only when all are open get all their bytes', async ({ open }) => {
  const bytes = content(1_000_000)
  // It speaks first, and to all of them at once.
  const target = await tcpServer(socket => void socket.end(bytes))
  const sockets = await Promise.all(Array.from({ length: 200 }, () => open(target)))
  const expected = { length: bytes.length, hash: sha256(bytes) }
  for (const each of await Promise.all(sockets.map(drain))) assert.equal(each, expected)
  for (const socket of sockets) socket.end()
  await target.close()
})

test('a WebSocket carries messages both ways, small and large, in order', async ({ proxy, web }) => {
  const local = await forward(proxy.port, host, web.port)
  const socket = new WebSocket(`ws://${host}:${local.port}/echo`)
  socket.binaryType = 'arraybuffer'
  const opened = once(socket, 'open')
  const sizes = Array.from({ length: 300 }, (_, i) => (i % 50 === 0 ? 500_000 + i : i))
  const got: string[] = []
  const done = new Promise<void>(resolve => {
    socket.onmessage = ({ data }) => {
      if (got.push(sha256(new Uint8Array(data as ArrayBuffer))) === sizes.length) resolve()
    }
  })
  await opened
  for (const size of sizes) socket.send(new Uint8Array(content(size)))
  await done
  assert.equal(
    got,
    sizes.map(size => sha256(content(size))),
  )
  const closed = once(socket, 'close')
  socket.close()
  await closed
  local.close()
})

test('a conversation of a thousand turns goes on over one connection', async ({ open }) => {
  const target = await tcpServer(socket => void socket.on('data', chunk => socket.write(chunk)))
  const socket = await open(target)
  socket.resume()
  for (let turn = 0; turn < 1_000; turn++) {
    const heard = once(socket, 'data')
    socket.write(`turn ${turn}`)
    assert.is(String((await heard)[0]), `turn ${turn}`)
  }
  socket.destroy()
  await target.close()
})

test('who has ended may go on reading: the question ends, then the answer comes', async ({ open }) => {
  const target = await tcpServer(async socket => {
    const { hash } = await drain(socket)
    socket.write(content(3_000_000))
    socket.end(hash)
  })
  const socket = await open(target)
  const answer = drain(socket)
  socket.end(content(2_000_000))
  const expected = Buffer.concat([content(3_000_000), Buffer.from(sha256(content(2_000_000)))])
  assert.equal(await answer, { length: expected.length, hash: sha256(expected) })
  await target.close()
})

test('who has read the end may go on sending', async ({ proxy }) => {
  const told = Promise.withResolvers<{ length: number; hash: string }>()
  const target = await tcpServer(socket => {
    socket.end('no more from me')
    void drain(socket).then(told.resolve)
  })
  const client = await rawClient(proxy.port)
  client.write(connectTo(target))
  // The method, and the reply with an IPv4 address.
  await client.read(2 + 10)
  assert.is(String(await client.rest()), 'no more from me')
  client.write(content(2_000_000))
  client.end()
  assert.equal(await told.promise, { length: 2_000_000, hash: sha256(content(2_000_000)) })
  await target.close()
})

test('a target that breaks off breaks the connection, and a client that does breaks the target’s', async ({
  open,
}) => {
  const closed = Promise.withResolvers<void>()
  const breaking = await tcpServer(socket => void socket.once('data', () => socket.resetAndDestroy()))
  const first = await open(breaking)
  first.write('go')
  await new Promise(resolve => first.resume().on('close', resolve))
  await breaking.close()

  const patient = await tcpServer(socket => void socket.resume().on('close', closed.resolve))
  const second = await open(patient)
  second.resetAndDestroy()
  await closed.promise
  await patient.close()
})

test('a client that waits for nothing has its bytes carried in order', async ({ proxy }) => {
  const received = Promise.withResolvers<{ length: number; hash: string }>()
  const target = await tcpServer(socket => {
    void drain(socket).then(received.resolve)
    socket.end()
  })
  const client = await rawClient(proxy.port)
  client.write(Buffer.concat([connectTo(target), content(3_000_000)]))
  client.end()
  assert.equal(await received.promise, { length: 3_000_000, hash: sha256(content(3_000_000)) })
  client.destroy()
  await target.close()
})

if (need(['curl'], ['curl'])) test.run()
