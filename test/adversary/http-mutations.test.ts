import { connect } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { converse, type NearProxy, nearProxy } from '../support/near-proxy.ts'
import { patient } from '../support/patience.ts'
import { type Random, seeded } from '../support/random.ts'
import { type RawOrigin, rawOrigin } from '../support/raw-origin.ts'
import { type WebServer, webServers } from '../support/web-servers.ts'

// Messages that are a little wrong, with another message inside that must stay content: a server that reads a request
// of it, or a client that reads a response of it, was led to by the proxy.

interface Context {
  proxy: NearProxy
  servers: WebServer[]
}

const test = suite<Context>('Mutated messages between the proxy and servers')
/** Of each kind. */
const mutations = 5_000
const atOnce = 32

test.before(async context => {
  context.servers = await webServers()
  context.proxy = await nearProxy()
})
test.after(async ({ proxy, servers }) => {
  proxy.close()
  await Promise.all(servers.map(server => server.close()))
})

const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n'

/** Requests in order whose content is a request. */
const requests = (port: number): string[] => {
  const url = `http://127.0.0.1:${port}/seed`
  const length = smuggled.length
  return [
    `POST ${url} HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n${smuggled}`,
    `POST ${url} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`,
    `PUT ${url} HTTP/1.1\r\nHost: a\r\nX: y\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n1;a=b\r\nx\r\n${length.toString(16)}\r\n${smuggled}\r\n0\r\nX-T: 1\r\n\r\n`,
    `GET ${url}?a=b HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nContent-Length: ${length}\r\n\r\n${smuggled}`,
  ]
}

const forged = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged'
const responses: string[] = [
  `HTTP/1.1 200 OK\r\nContent-Length: ${forged.length}\r\n\r\n${forged}`,
  `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${forged.length.toString(16)}\r\n${forged}\r\n0\r\n\r\n`,
  `HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nX: y\r\nContent-Length: ${forged.length}\r\n\r\n${forged}`,
  `HTTP/1.1 204 No Content\r\nX: y\r\n\r\n`,
  `HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n${forged}`,
]

const morsels = [
  '\r\n',
  '\n',
  '\r',
  '\0',
  ' ',
  '\t',
  ':',
  ',',
  ';',
  '\xff',
  '\x0b',
  '0',
  'f',
  '0\r\n\r\n',
  'Content-Length: 5\r\n',
  'Content-Length: 0\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding: identity\r\n',
  'Transfer-Encoding : chunked\r\n',
  ' chunked',
  'HTTP/1.0',
  'X:\r\n\t',
]

function mutate(seed: string, random: Random): Buffer {
  let bytes = Buffer.from(seed, 'latin1')
  // Mostly in the head: that is where a message says where it ends.
  const reach = () => (random.chance(0.7) ? bytes.indexOf('\r\n\r\n') + 6 : bytes.length)
  for (let i = 1 + random.int(3); i > 0; i--) {
    const at = random.int(Math.max(1, reach()))
    const piece = Buffer.from(morsels[random.int(morsels.length)]!, 'latin1')
    const removed = random.chance(0.4) ? 1 + random.int(3) : 0
    bytes = Buffer.concat([
      bytes.subarray(0, at),
      random.chance(0.7) ? piece : random.bytes(1),
      bytes.subarray(at + removed),
    ])
  }
  return bytes
}

async function many(count: number, one: (random: Random) => Promise<void>): Promise<void> {
  const random = seeded(count)
  let left = count
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (left-- > 0) await one(random)
    }),
  )
}

/** All that comes until the other end closes, or lets a moment pass. */
function say(port: number, bytes: Buffer): Promise<string> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    let said = ''
    const timer = setTimeout(() => socket.destroy(), patient(5_000))
    socket.on('data', chunk => {
      said += chunk.toString('latin1')
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(said)
    })
    socket.end(bytes)
  })
}

test(`${mutations.toLocaleString('en')} mutated requests: no server reads a request that the proxy did not`, async ({
  proxy,
  servers,
}) => {
  assert.ok(servers.length > 0)
  for (const server of servers) {
    const seeds = requests(server.port)
    let forwarded = 0
    await many(Math.ceil(mutations / servers.length), async random => {
      const said = await say(proxy.port, mutate(seeds[random.int(seeds.length)]!, random))
      if (/^HTTP\/1\.1 (200|404|405)/.test(said)) forwarded++
    })
    // The oracle works: in order, the server reads the seed and nothing else.
    await say(proxy.port, Buffer.from(seeds[0]!, 'latin1'))
    const log = await server.log()
    assert.match(log, '/seed', server.name)
    assert.not.match(log, '/smuggled', `${server.name} was led to read a request out of content`)
    console.log(`figure: mutated requests to ${server.name}: ${forwarded} forwarded, none ambiguous`)
  }
})

test(`${mutations.toLocaleString('en')} mutated responses: the client's next request gets its own`, async ({
  proxy,
}) => {
  const mine = await rawOrigin(heard =>
    heard.endsWith('\r\n\r\n') ? 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmine' : undefined,
  )
  const bytes: Buffer[] = []
  const odd: RawOrigin = await rawOrigin(heard =>
    heard.endsWith('\r\n\r\n')
      ? { say: (bytes[Number(/\/(\d+) /.exec(heard)?.[1])] ?? '').toString('latin1'), end: true }
      : undefined,
  )
  let served = 0
  await many(mutations, async random => {
    const id = bytes.push(mutate(responses[random.int(responses.length)]!, random)) - 1
    const said = await say(
      proxy.port,
      Buffer.from(
        `GET http://127.0.0.1:${odd.port}/${id} HTTP/1.1\r\nHost: x\r\n\r\n` +
          `GET http://127.0.0.1:${mine.port}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
      ),
    )
    const read = finalResponses(said)
    const second = read[1]
    if (second) served++
    assert.ok(read.length <= 2, `${read.length} responses to two requests: ${JSON.stringify(said)}`)
    assert.ok(
      second === undefined || second.endsWith('mine'),
      `the second response is another's: ${JSON.stringify(said)} after ${JSON.stringify(bytes[id]!.toString('latin1'))}`,
    )
  })
  console.log(`figure: mutated responses: ${served} connections went on to the next request, all to its own`)
  assert.ok(served > mutations / 4, `${served} went on`)
  await odd.close()
  await mine.close()
})

test('the oracle reads messages as RFC 9112 says', async ({ proxy }) => {
  const said =
    'HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmine'
  assert.equal(
    finalResponses(said).map(each => each.slice(-4)),
    ['\r\n\r\n', 'mine'],
  )
  assert.match(await converse(proxy.port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'), / 400 /)
})

test.run()

// --- internal ---

/** Cuts what a client hears into the final responses, as a strict client would; what is left over is one of its own. */
function finalResponses(said: string): string[] {
  const found: string[] = []
  let rest = said
  while (rest !== '') {
    const head = rest.indexOf('\r\n\r\n')
    if (head < 0) return [...found, rest]
    const fields = rest.slice(0, head).split('\r\n').slice(1)
    const field = (name: string) =>
      fields
        .find(line => line.toLowerCase().startsWith(`${name}:`))
        ?.slice(name.length + 1)
        .trim()
    const status = Number(/^HTTP\/1\.1 (\d+)/.exec(rest)?.[1])
    let end = head + 4
    if (status >= 200 && status !== 204 && status !== 304) {
      if (field('transfer-encoding')) end = endOfChunks(rest, end)
      else if (field('content-length') !== undefined) end += Number(field('content-length'))
      else end = rest.length
    }
    if (!(status < 200)) found.push(rest.slice(0, end))
    rest = rest.slice(end)
  }
  return found
}

function endOfChunks(text: string, from: number): number {
  for (let at = from; ; ) {
    const line = text.indexOf('\r\n', at)
    if (line < 0) return text.length
    const size = Number.parseInt(text.slice(at, line), 16)
    if (size > 0) at = line + 2 + size + 2
    else {
      const end = text.indexOf('\r\n\r\n', line)
      return end < 0 ? text.length : end + 4
    }
  }
}
