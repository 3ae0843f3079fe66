import { connect } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { converse, type NearProxy, nearProxy } from '../support/near-proxy.ts'
import { type RawOrigin, rawOrigin } from '../support/raw-origin.ts'
import { until } from '../support/until.ts'

// What a server may say that nobody asked for, and what of it arrives. Each response is followed by another request on
// the same connection of the client's, which must get its own.

interface Context {
  proxy: NearProxy
  /** The server under test: says these bytes to each request, and ends where `end` is set. */
  says(bytes: string, end?: boolean): Promise<RawOrigin>
  /** A server that is in order; its answer is `mine`. */
  other: RawOrigin
  origins: RawOrigin[]
}

const test = suite<Context>('HTTP responses')

test.before.each(async context => {
  context.proxy = await nearProxy()
  context.origins = []
  context.says = async (say, end = false) => {
    const origin = await rawOrigin(heard => (heard.endsWith('\r\n\r\n') ? { say, end } : undefined))
    context.origins.push(origin)
    return origin
  }
  context.other = await context.says('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmine')
})
test.after.each(async ({ proxy, origins }) => {
  proxy.close()
  await Promise.all(origins.map(origin => origin.close()))
})

const get = (port: number, { method = 'GET', path = '/', fields = '' } = {}) =>
  `${method} http://127.0.0.1:${port}${path} HTTP/1.1\r\nHost: x\r\n${fields}\r\n`

/** The client's request to the server under test, then one to the server that is in order. */
const both = ({ proxy, other }: Context, origin: RawOrigin, options = {}) =>
  converse(proxy.port, get(origin.port, options) + get(other.port, { fields: 'Connection: close\r\n' }))

test('a 101 that the request did not ask for is a bad gateway, and the client stays with us', async context => {
  for (const [fields, protocol] of [
    ['', 'websocket'],
    ['Connection: Upgrade\r\nUpgrade: h2c\r\n', 'h2c'],
    ['Connection: Upgrade\r\nUpgrade: websocket\r\n', 'chat'],
    ['Upgrade: websocket\r\n', 'websocket'],
  ]) {
    const evil = await context.says(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\nforged`,
    )
    const said = await both(context, evil, { fields })
    assert.match(said, /^HTTP\/1\.1 502 /, fields)
    assert.match(said, 'switches to a protocol that was not asked for')
    assert.not.match(said, 'forged')
    assert.match(said, /HTTP\/1\.1 200 OK\r\n[\s\S]*mine$/, 'the next request is served by its own server')
    assert.is(evil.heard.length, 1)
    assert.not.match(evil.heard[0]!.slice(0, -4), /\r\n\r\n/, 'the next request went elsewhere')
  }
})

test('interim responses are passed on, up to a number', async context => {
  const few = await context.says(
    `${'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'.repeat(16)}HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n`,
  )
  const said = await both(context, few)
  assert.is(said.match(/HTTP\/1\.1 103/g)?.length, 16)
  const many = await context.says('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'.repeat(10_000))
  const refused = await both(context, many)
  assert.is(refused.match(/HTTP\/1\.1 103/g)?.length, 16)
  assert.match(refused, 'more than 16 interim responses')
  assert.match(refused, /mine$/)
})

test('bytes behind the end of a response are nobody’s: the response is whole, the connection dropped', async context => {
  for (const [method, response, body] of [
    ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello', ''],
    ['GET', 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello', ''],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello', ''],
    ['GET', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhello', 'he'],
    [
      'GET',
      'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged',
      '',
    ],
    [
      'GET',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n0\r\n\r\nforged',
      '2\r\nhe\r\n0\r\n\r\n',
    ],
  ] as const) {
    const origin = await context.says(response)
    const said = await converse(
      context.proxy.port,
      get(origin.port, { method }) + get(origin.port, { method, fields: 'Connection: close\r\n' }),
    )
    const [, ...responses] = said
      .split(/(?=HTTP\/1\.1 )/)
      .map(each => each.slice(each.indexOf('\r\n\r\n') + 4))
    assert.equal([said.match(/HTTP\/1\.1 \d/g)?.length, responses.at(-1)], [2, body], said)
    assert.not.match(said, /forged|llo/)
    assert.is(origin.heard.length, 2, 'the second request went over a new connection')
  }
})

test('a kept connection that the server ends while it rests is not used again', async context => {
  const ends: (() => void)[] = []
  const origin = await rawOrigin((heard, socket) => {
    ends.push(() => socket.end())
    return heard.endsWith('\r\n\r\n') ? 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok' : undefined
  })
  const socket = connect(context.proxy.port, '127.0.0.1')
  let said = ''
  socket.on('data', chunk => {
    said += chunk
  })
  socket.write(get(origin.port, { method: 'POST' }))
  await until(() => said.endsWith('ok'), 'the first response')
  ends[0]?.()
  await until(() => context.proxy.open() === 0, 'the connection at rest to be dropped')
  said = ''
  // Not repeatable: had the connection been used again, this one would have failed.
  socket.write(get(origin.port, { method: 'POST' }))
  await until(() => said.endsWith('ok'), 'the second response')
  socket.destroy()
  await origin.close()
})

test('all fields arrive, however many, or none: too many bytes of them are a bad gateway that says so', async context => {
  const fields = Array.from({ length: 3_000 }, (_, i) => `X-Tag: ${i}\r\n`).join('')
  const whole = await both(
    context,
    await context.says(`HTTP/1.1 302 Found\r\n${fields}Location: /next\r\nContent-Length: 0\r\n\r\n`),
  )
  assert.is(whole.match(/X-Tag: /g)?.length, 3_000)
  assert.match(whole, 'Location: /next')
  const large = await both(
    context,
    await context.says(`HTTP/1.1 200 OK\r\n${fields.repeat(2)}Content-Length: 0\r\n\r\n`),
  )
  assert.match(large, /^HTTP\/1\.1 502 /)
  assert.match(large, 'the start line and fields have more than 65536 bytes')
  assert.match(large, /mine$/)
})

test('an unreadable response says what is wrong with it', async context => {
  for (const [response, reason, end] of [
    ['SSH-2.0-OpenSSH\r\n\r\n', 'its first line is not HTTP/1.1 and a status'],
    ['HTTP/1.1 99 Odd\r\n\r\n', 'its first line is not HTTP/1.1 and a status'],
    [
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!',
      'more than one Content-Length',
    ],
    ['HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\nhello', 'Content-Length is no number'],
    ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n', 'both Content-Length and'],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n', 'the only transfer coding'],
    ['HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n', 'the field X has a control character'],
    ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n 5\r\n\r\nhello', 'the field Content-Length is folded'],
    ['HTTP/1.1 200 OK\r\nX: y\r\n', 'ended the connection before its response was complete', true],
    ['', 'ended the connection before its response was complete', true],
  ] as const) {
    const said = await both(context, await context.says(response, end))
    assert.match(said, /^HTTP\/1\.1 502 /, response)
    assert.match(said, reason, response)
    assert.match(said, /mine$/, response)
  }
})

test('what every browser takes is mended: bare LF, folded lines, blanks before a colon, lines without one', async context => {
  const odd = await context.says(
    'HTTP/1.1 200 OK\nX-Folded: one\r\n\ttwo\r\nX-Blank : three\r\nno colon here\r\nContent-Length: 2\n\nok',
  )
  const said = await both(context, odd)
  assert.ok(
    said.startsWith(
      'HTTP/1.1 200 OK\r\nX-Folded: one two\r\nX-Blank: three\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n',
    ),
    said,
  )
  const twice = await both(
    context,
    await context.says('HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\nContent-Length: 2\r\n\r\nok'),
  )
  assert.match(twice, /^HTTP\/1\.1 200 OK\r\nContent-Length: 2\r\n\r\nok/)
})

test('a trailer says nothing about this hop or another message', async context => {
  const origin = await context.says(
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: 1\r\nConnection: close\r\nHost: evil\r\n\r\n',
  )
  const said = await both(context, origin)
  assert.match(said, '0\r\nX-Sum: 1\r\n\r\nHTTP/1.1 200 OK')
})

test('content that ends with the connection arrives whole, and a break is no end', async context => {
  const origin = await context.says('HTTP/1.0 200 OK\r\n\r\nto the end', true)
  const said = await both(context, origin)
  assert.match(said, 'Transfer-Encoding: chunked\r\n\r\na\r\nto the end\r\n0\r\n\r\nHTTP/1.1 200')
  const broken = await rawOrigin((heard, socket) => {
    if (!heard.endsWith('\r\n\r\n')) return undefined
    socket.write('HTTP/1.1 200 OK\r\n\r\nhalf', () => socket.resetAndDestroy())
    return undefined
  })
  const half = await converse(context.proxy.port, get(broken.port)).catch((error: Error) => error.message)
  assert.not.match(half, '0\r\n\r\n')
  await broken.close()
})

test.run()
