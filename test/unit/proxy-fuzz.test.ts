import { connect } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { makeLogin } from '../../cli/client/accounts/login.ts'
import { parseRules } from '../../cli/client/outbound/rules.ts'
import { converse, type NearProxy, nearProxy } from '../support/near-proxy.ts'
import { patient } from '../support/patience.ts'
import { type Random, seeded } from '../support/random.ts'
import { type RawOrigin, rawOrigin } from '../support/raw-origin.ts'
import { until } from '../support/until.ts'

interface Context {
  proxy: NearProxy
  origin: RawOrigin
}

const test = suite<Context>('mutated input')
const inputs = 10_000
const atOnce = 64
/** What an input, and what it opened, may take to its end: less than any time-out of the proxy but the shortest. Milliseconds. */
const limitMs = 10_000

test.before(async context => {
  context.origin = await rawOrigin(heard =>
    heard.includes('\r\n\r\n')
      ? { say: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', end: true }
      : undefined,
  )
  context.proxy = await nearProxy({
    logins: [makeLogin('test', 'alice', 'secret')],
    // A mutated name is not to be looked up anywhere.
    rules: parseRules([`tunnel 127.0.0.1:${context.origin.port}`, 'block *']),
  })
})
test.after(async ({ proxy, origin }) => {
  proxy.close()
  await origin.close()
})

/** Conversations that are in order. */
function seeds(port: number): Buffer[] {
  const login = Buffer.from('alice:secret').toString('base64')
  const fields = `Host: x\r\nProxy-Authorization: Basic ${login}\r\n`
  const url = `http://127.0.0.1:${port}/path?query`
  const socks = (tail: Buffer) =>
    Buffer.concat([
      Buffer.from('\x05\x02\x00\x02\x01\x05alice\x06secret\x05\x01\x00', 'latin1'),
      tail,
      Buffer.of(port >> 8, port & 255),
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    ])
  return [
    socks(Buffer.from([1, 127, 0, 0, 1])),
    socks(Buffer.concat([Buffer.from([3, 9]), Buffer.from('localhost')])),
    socks(Buffer.from([4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1])),
    ...[
      `CONNECT 127.0.0.1:${port} HTTP/1.1\r\n${fields}\r\nGET / HTTP/1.1\r\n\r\n`,
      `GET ${url} HTTP/1.1\r\n${fields}Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\n\r\nHEAD ${url} HTTP/1.1\r\n${fields}\r\n`,
      `POST ${url} HTTP/1.1\r\n${fields}Content-Length: 11\r\n\r\nhello world`,
      `PUT ${url} HTTP/1.1\r\n${fields}Expect: 100-continue\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n5;e=1\r\nhello\r\n6\r\n world\r\n0\r\nX: y\r\n\r\n`,
      `GET ${url} HTTP/1.1\r\n${fields}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\n`,
      `GET /proxy.pac HTTP/1.1\r\nHost: x\r\n\r\n`,
    ].map(text => Buffer.from(text)),
  ]
}

const morsels = [
  '\r\n',
  '\n',
  '\r',
  '\0',
  ' ',
  ':',
  ',',
  '\xff',
  '0\r\n\r\n',
  'Content-Length: 5\r\n',
  'Transfer-Encoding: chunked\r\n',
  'HTTP/1.1',
  '\x05\x01\x00',
]

function mutate(seed: Buffer, random: Random): Buffer {
  let bytes = Buffer.from(seed)
  for (let i = 1 + random.int(4); i > 0; i--) {
    const at = random.int(bytes.length + 1)
    const to = Math.min(bytes.length, at + random.int(8))
    const piece =
      random.int(3) === 0
        ? random.bytes(random.int(16))
        : Buffer.from(morsels[random.int(morsels.length)]!, 'latin1')
    switch (random.int(5)) {
      case 0: // flip
        if (at < bytes.length) bytes[at] = random.int(256)
        break
      case 1: // insert
        bytes = Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)])
        break
      case 2: // leave out
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(to)])
        break
      case 3: // cut off
        bytes = bytes.subarray(0, at)
        break
      default: // repeat
        bytes = Buffer.concat([bytes.subarray(0, to), bytes.subarray(at)])
    }
  }
  return bytes
}

/** Sends the bytes, whole or in pieces, says its end, or goes; resolves when the connection is over. */
function send(port: number, bytes: Buffer, random: Random): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1').setNoDelay(true).resume()
    const timer = setTimeout(() => {
      socket.destroy()
      reject(new Error(`stuck after ${JSON.stringify(bytes.toString('latin1'))}`))
    }, patient(limitMs))
    socket.on('error', () => {})
    socket.on('close', () => {
      clearTimeout(timer)
      resolve()
    })
    const cut = random.chance(0.5) ? random.int(bytes.length + 1) : bytes.length
    const leaves = random.chance(0.1)
    socket.write(bytes.subarray(0, cut), () => {
      if (leaves) socket.destroy()
      else socket.end(bytes.subarray(cut))
    })
  })
}

test(`${inputs.toLocaleString('en')} mutated inputs crash nothing, stick nowhere and leave nothing behind`, async ({
  proxy,
  origin,
}) => {
  const random = seeded(9_112)
  const good = seeds(origin.port)
  const run = async (count: number) => {
    const workers = Array.from({ length: atOnce }, async () => {
      while (count-- > 0) await send(proxy.port, mutate(good[random.int(good.length)]!, random), random)
    })
    await Promise.all(workers)
    await until(() => proxy.open() === 0 && proxy.exit.streams() === 0, 'everything to be closed', limitMs)
    proxy.events.length = 0
    origin.heard.length = 0
    Bun.gc(true)
    return process.memoryUsage().heapUsed
  }
  const early = await run(inputs / 5)
  const late = await run((inputs * 4) / 5)
  assert.ok(late < early * 1.5 + 8e6, `the heap went from ${early} to ${late} bytes`)
  const socks = await converse(proxy.port, good[0]!)
  assert.match(socks, /ok$/)
  assert.match(await converse(proxy.port, good[3]!), /ok$/)
})

test.run()
