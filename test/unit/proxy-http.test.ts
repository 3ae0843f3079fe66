import { connect } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { converse, type NearProxy, nearProxy } from '../support/near-proxy.ts'
import { type RawOrigin, rawOrigin } from '../support/raw-origin.ts'
import { until } from '../support/until.ts'

interface Context {
  proxy: NearProxy
  origin: RawOrigin
  url: string
  /** What the origin says, by path; anything else is answered with an empty 200. */
  answers: Record<string, string>
}

const test = suite<Context>('HTTP proxy')
const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'

test.before.each(async context => {
  context.answers = {}
  context.origin = await rawOrigin(heard => {
    // A request with a body says at its end that it is one.
    const whole = /\r\n\r\n$/.test(heard) || heard.endsWith('END')
    const path = /(?:^|\r\n|END)[A-Z]+ (\S+) HTTP\/1\.1\r\n(?![\s\S]*HTTP\/1\.1\r\n)/.exec(heard)?.[1]
    return whole && path ? (context.answers[path] ?? ok) : undefined
  })
  context.proxy = await nearProxy()
  context.url = `http://127.0.0.1:${context.origin.port}`
})

test.after.each(async ({ proxy, origin }) => {
  proxy.close()
  await origin.close()
})

/** The status line, the fields (but Date) and the body of an answer. */
function read(answer: string) {
  const [head = '', ...rest] = answer.split('\r\n\r\n')
  const [status = '', ...lines] = head.split('\r\n')
  return { status, lines: lines.filter(line => !line.startsWith('Date')), body: rest.join('\r\n\r\n') }
}

test('a plain request goes on in origin form, with what is for the other end and nothing else', async ({
  proxy,
  origin,
  url,
}) => {
  const request = [
    `GET ${url}/../a//b%20?x=1 HTTP/1.1`,
    'Host: somebody.else',
    'X-One: caf\xe9',
    'x-one: 2',
    'Connection: close, X-Hop',
    'X-Hop: 1',
    'Proxy-Connection: keep-alive',
    'Proxy-Authorization: Basic eDp5',
    'Keep-Alive: 3',
    'TE: trailers',
    'Upgrade: h2c',
  ]
  const answer = await converse(proxy.port, `${request.join('\r\n')}\r\n\r\n`)
  assert.is(read(answer).status, 'HTTP/1.1 200 OK')
  assert.is(
    origin.heard[0],
    `GET /../a//b%20?x=1 HTTP/1.1\r\nHost: 127.0.0.1:${origin.port}\r\nX-One: caf\xe9\r\nx-one: 2\r\nConnection: keep-alive\r\n\r\n`,
  )
})

test('an answer comes back byte for byte, without what is for one hop', async ({ proxy, url, answers }) => {
  answers['/'] =
    'HTTP/1.1 299 As it is\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nX-Name: caf\xe9\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nProxy-Authenticate: Basic\r\nContent-Length: 3\r\n\r\nab\xff'
  const answer = await converse(proxy.port, `GET ${url} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
  assert.is(
    answer,
    'HTTP/1.1 299 As it is\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nX-Name: caf\xe9\r\nContent-Length: 3\r\nConnection: close\r\n\r\nab\xff',
  )
})

test('one client connection serves requests to different targets in their order, sent ahead or not', async ({
  proxy,
  origin,
  url,
  answers,
}) => {
  const other = await rawOrigin(heard =>
    heard.endsWith('\r\n\r\n') ? 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother' : undefined,
  )
  answers['/1'] = 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none'
  answers['/3'] = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nthree'
  const get = (at: string, more = '') => `GET ${at} HTTP/1.1\r\nHost: x\r\n${more}\r\n`
  const requests = [
    get(`${url}/1`),
    get(`http://127.0.0.1:${other.port}/2`),
    get(`${url}/3`, 'Connection: close\r\n'),
  ]
  const answer = await converse(proxy.port, requests.join(''))
  assert.equal(answer.match(/one|other|three/g), ['one', 'other', 'three'])
  assert.is(origin.heard.length, 1, 'the connection to a target is kept')
  await until(() => proxy.open() === 0, 'the connections to be closed')
  await other.close()
})

test('chunked bodies and trailers go both ways', async ({ proxy, origin, url, answers }) => {
  answers['/up'] =
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: caf\xe9\r\n\r\n'
  const answer = await converse(
    proxy.port,
    `DELETE ${url}/up HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nTrailer: X-Mine\r\n\r\n4;ext=1\r\nbody\r\n0\r\nX-Mine: 1\r\n\r\n`,
  )
  assert.match(origin.heard[0]!, /^DELETE \/up /)
  assert.match(origin.heard[0]!, /Trailer: X-Mine\r\nTransfer-Encoding: chunked\r\n/)
  assert.ok(origin.heard[0]!.endsWith('\r\n\r\n4\r\nbody\r\n0\r\nX-Mine: 1\r\n\r\n'))
  const { lines, body } = read(answer)
  assert.ok(lines.includes('Transfer-Encoding: chunked'))
  assert.ok(lines.includes('Trailer: X-Sum'))
  assert.is(body, '3\r\nabc\r\n0\r\nX-Sum: caf\xe9\r\n\r\n')
})

test('an HTTP/1.0 client gets no chunks, no trailers and no interim answers', async ({
  proxy,
  url,
  answers,
}) => {
  answers['/'] =
    'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n'
  const { status, lines, body } = read(await converse(proxy.port, `GET ${url}/ HTTP/1.0\r\n\r\n`))
  assert.is(status, 'HTTP/1.1 200 OK')
  assert.equal(lines, ['Connection: close'])
  assert.is(body, 'abc')
})

test('a body is sent for when the server says 100 (Continue), and other interim answers are passed on', async ({
  proxy,
  url,
  answers,
}) => {
  answers['/'] =
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
  const answer = await converse(
    proxy.port,
    `PUT ${url}/ HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\nConnection: close\r\n\r\nEND`,
  )
  assert.equal(answer.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 100', 'HTTP/1.1 103', 'HTTP/1.1 200'])
  assert.match(answer, 'Link: </a>')
})

test('answers without a body have none, whatever their fields say', async ({ proxy, url, answers }) => {
  for (const [method, status, field] of [
    ['HEAD', '200 OK', 'Content-Length: 10'],
    ['HEAD', '200 OK', 'Transfer-Encoding: chunked'],
    ['GET', '204 No Content', 'X: y'],
    ['GET', '304 Not Modified', 'Content-Length: 10'],
  ]) {
    answers['/'] = `HTTP/1.1 ${status}\r\n${field}\r\n\r\n`
    const request = `${method} ${url}/ HTTP/1.1\r\nHost: x\r\n`
    const said = await converse(proxy.port, `${request}\r\n${request}Connection: close\r\n\r\n`)
    const answers2 = said.split(/(?=HTTP\/1\.1 )/)
    assert.is(answers2.length, 2, said)
    for (const answer of answers2) assert.is(read(answer).body, '', said)
  }
})

test('a body that breaks off is not passed on as a whole one', async ({ proxy }) => {
  for (const framing of [
    'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n',
    'Content-Length: 50\r\n\r\nhello',
  ]) {
    const broken = await rawOrigin(heard =>
      heard.endsWith('\r\n\r\n') ? { say: `HTTP/1.1 200 OK\r\n${framing}`, end: true } : undefined,
    )
    const answer = await converse(
      proxy.port,
      `GET http://127.0.0.1:${broken.port}/ HTTP/1.1\r\nHost: x\r\n\r\n`,
    )
    assert.match(answer, 'hello')
    assert.ok(answer.endsWith('hello\r\n') || answer.endsWith('hello'), answer)
    await broken.close()
  }
})

test('an answer that ends the connection arrives whole, however late it is read', async ({ proxy }) => {
  const length = 20_000_000
  const large = await rawOrigin(heard =>
    heard.endsWith('\r\n\r\n')
      ? { say: `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n${'x'.repeat(length)}`, end: true }
      : undefined,
  )
  const socket = connect(proxy.port, '127.0.0.1')
  socket.write(`GET http://127.0.0.1:${large.port}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
  let received = 0
  socket.on('data', chunk => {
    received += chunk.length
    // A pause now and then: everything in between is full.
    socket.pause()
    setTimeout(() => socket.resume(), 2)
  })
  await new Promise((resolve, reject) => socket.on('end', resolve).on('error', reject))
  assert.ok(received > length, `${received} bytes`)
  socket.destroy()
  await large.close()
})

test('a kept connection that the server has closed meanwhile is made again', async ({ proxy }) => {
  const once = await rawOrigin(heard =>
    heard.endsWith('\r\n\r\n')
      ? { say: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', end: true }
      : undefined,
  )
  const get = `GET http://127.0.0.1:${once.port}/ HTTP/1.1\r\nHost: x\r\n`
  const answer = await converse(proxy.port, `${get}\r\n${get}\r\n${get}Connection: close\r\n\r\n`)
  assert.is(answer.match(/HTTP\/1\.1 200/g)?.length, 3, answer)
  await once.close()
})

test('a WebSocket goes through a plain upgrade; one that is denied gets its answer', async ({
  proxy,
  url,
  answers,
}) => {
  const upgrade = 'Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\n'
  const server = await rawOrigin(heard =>
    heard.endsWith('\r\n\r\n')
      ? 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s\r\n\r\nfirst'
      : heard.endsWith('ping')
        ? { say: 'pong', end: true }
        : undefined,
  )
  const answer = await converse(
    proxy.port,
    `GET http://127.0.0.1:${server.port}/ws HTTP/1.1\r\n${upgrade}ping`,
  )
  assert.is(
    answer,
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s\r\n\r\nfirstpong',
  )
  assert.match(server.heard[0]!, 'Sec-WebSocket-Key: k\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n')
  await server.close()

  answers['/deny'] = 'HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno'
  const denied = read(
    await converse(proxy.port, `GET ${url}/deny HTTP/1.1\r\n${upgrade}`, said => said.endsWith('no')),
  )
  assert.equal([denied.status, denied.body], ['HTTP/1.1 403 No', 'no'])
  const unreachable = await converse(proxy.port, `GET http://127.0.0.1:1/ HTTP/1.1\r\n${upgrade}`, said =>
    said.endsWith('\n'),
  )
  assert.is(read(unreachable).status, 'HTTP/1.1 502 Bad Gateway')
  await until(() => proxy.open() === 0 && proxy.exit.streams() === 0, 'the streams to be closed')
})

test('CONNECT carries bytes as they are, also those sent ahead of the answer', async ({ proxy }) => {
  const echo = await rawOrigin(heard => (heard.endsWith('END') ? { say: heard, end: true } : undefined))
  const bytes = `${Array.from({ length: 256 }, (_, i) => String.fromCharCode(i)).join('')}END`
  const answer = await converse(
    proxy.port,
    `CONNECT 127.0.0.1:${echo.port} HTTP/1.1\r\nHost: x\r\n\r\n${bytes}`,
  )
  assert.is(answer, `HTTP/1.1 200 Connection established\r\n\r\n${bytes}`)
  await until(() => proxy.open() === 0, 'the connection to be closed')
  assert.equal(
    proxy.told('connection.closed').map(({ end, bytesUp, bytesDown }) => ({ end, bytesUp, bytesDown })),
    [{ end: 'complete', bytesUp: bytes.length, bytesDown: bytes.length }],
  )
  await echo.close()
})

test('what cannot be reached is told with its status and a reason', async ({ proxy, url }) => {
  const ask = async (line: string, more = '') =>
    read(await converse(proxy.port, `${line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${more}\r\n`))
  for (const [line, status, reason] of [
    ['CONNECT 127.0.0.1:1', '502 Bad Gateway', 'refused the connection'],
    ['GET http://127.0.0.1:1/', '502 Bad Gateway', 'refused the connection'],
    ['CONNECT nowhere.invalid:80', '502 Bad Gateway', 'could not be resolved'],
    ['GET http://nowhere.invalid/', '502 Bad Gateway', 'could not be resolved'],
    ['GET /', '400 Bad Request', 'whole URL'],
    ['GET https://example.org/', '400 Bad Request', 'CONNECT'],
    ['GET http://user:password@/', '400 Bad Request', 'host:port'],
    ['GET http://example.org:0/', '400 Bad Request', 'host:port'],
    ['GET http://example.org:65536/', '400 Bad Request', 'host:port'],
    ['CONNECT example.org', '400 Bad Request', 'host:port'],
    ['CONNECT [::1', '400 Bad Request', 'host:port'],
    ['TRACE http://example.org/', '405 Method Not Allowed', 'TRACE'],
  ] as const) {
    const answer = await ask(line)
    assert.is(answer.status, `HTTP/1.1 ${status}`, line)
    assert.match(answer.body, reason, line)
  }
  proxy.exit.vanish()
  for (const line of ['CONNECT 127.0.0.1:1', `GET ${url}/`]) {
    const answer = await ask(line)
    assert.is(answer.status, 'HTTP/1.1 503 Service Unavailable')
    assert.ok(answer.lines.includes('proxy-status: lambda-nat-proxy; error=destination_unavailable'))
  }
  assert.equal(
    proxy.told('connection.failed').map(({ target, message }) => `${target}: ${message}`),
    ['127.0.0.1:1', url.replace('http://', '')].map(target => `${target}: no exit came up`),
  )
})

test('a server that does not speak HTTP is a bad gateway', async ({ proxy, url, answers }) => {
  for (const answer of [
    'SSH-2.0-OpenSSH\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n',
    `HTTP/1.1 200 OK\r\nX: ${'y'.repeat(70_000)}\r\n\r\n`,
  ]) {
    answers['/'] = answer
    const { status } = read(
      await converse(proxy.port, `GET ${url}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`),
    )
    assert.is(status, 'HTTP/1.1 502 Bad Gateway', answer.slice(0, 80))
  }
})

test.run()
