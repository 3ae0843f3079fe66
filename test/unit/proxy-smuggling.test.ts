import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { converse, type NearProxy, nearProxy } from '../support/near-proxy.ts'
import { type RawOrigin, rawOrigin } from '../support/raw-origin.ts'

// Messages that two recipients could read in two ways (RFC 9112, section 11.2): none gets as far as a
// server, and what follows is never taken for a request.

interface Context {
  proxy: NearProxy
  origin: RawOrigin
}

const test = suite<Context>('HTTP request smuggling')

test.before(async context => {
  context.origin = await rawOrigin(() => ({ say: 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', end: true }))
  context.proxy = await nearProxy()
})

test.after(async ({ proxy, origin }) => {
  proxy.close()
  await origin.close()
})

const smuggled = 'GET http://127.0.0.1:1/smuggled HTTP/1.1\r\nHost: a\r\n\r\n'
const chunks = `5\r\nhello\r\n0\r\n\r\n${smuggled}`

/** What follows the request line, and the status. */
const heads: [what: string, rest: string, status: number][] = [
  [
    'Content-Length and Transfer-Encoding',
    'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    400,
  ],
  [
    'Transfer-Encoding and Content-Length',
    'Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n',
    400,
  ],
  ['two Content-Lengths', 'Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!', 400],
  ['the same Content-Length twice', 'Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello', 400],
  ['a list of Content-Lengths', 'Content-Length: 5, 5\r\n\r\nhello', 400],
  ['a signed Content-Length', 'Content-Length: +5\r\n\r\nhello', 400],
  ['a negative Content-Length', 'Content-Length: -5\r\n\r\nhello', 400],
  ['a hexadecimal Content-Length', 'Content-Length: 0x5\r\n\r\nhello', 400],
  ['an empty Content-Length', 'Content-Length:\r\n\r\nhello', 400],
  ['Content-Length with something behind', 'Content-Length: 5 5\r\n\r\nhello', 400],
  ['a Content-Length that no number holds', `Content-Length: ${'9'.repeat(30)}\r\n\r\nhello`, 400],
  ['a coding that is not chunked', `Transfer-Encoding: xchunked\r\n\r\n${chunks}`, 400],
  ['chunked, but not last', `Transfer-Encoding: chunked, identity\r\n\r\n${chunks}`, 400],
  ['chunked twice', `Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`, 400],
  ['a coding before chunked', `Transfer-Encoding: gzip, chunked\r\n\r\n${chunks}`, 501],
  [
    'identity before chunked',
    `Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`,
    501,
  ],
  ['a vertical tab before chunked', `Transfer-Encoding: \vchunked\r\n\r\n${chunks}`, 400],
  ['a line folded', 'X: a\r\n b\r\n\r\n', 400],
  ['Content-Length in a folded line', 'X: a\r\n\tContent-Length: 5\r\n\r\nhello', 400],
  ['whitespace before the colon', 'Content-Length : 5\r\n\r\nhello', 400],
  ['a tab before the colon', 'Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n', 400],
  ['a line without a name', ': x\r\n\r\n', 400],
  ['a line without a colon', 'Nothing\r\n\r\n', 400],
  ['a bare LF after a field', 'X: a\nContent-Length: 5\r\n\r\nhello', 400],
  ['a bare LF after the head', 'X: a\r\n\nhello', 400],
  ['a bare CR in a field', 'X: a\rContent-Length: 5\r\n\r\nhello', 400],
  ['NUL in a field', 'X: a\0b\r\n\r\n', 400],
  ['a second Host', 'Host: b\r\n\r\n', 400],
  ['a chunk size with 0x', 'Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n', 400],
  ['a signed chunk size', 'Transfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n', 400],
  ['a chunk size with a space', 'Transfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n', 400],
  [
    'a chunk size that overflows',
    'Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF1\r\nhello\r\n0\r\n\r\n',
    400,
  ],
  ['no chunk size', 'Transfer-Encoding: chunked\r\n\r\n\r\nhello\r\n0\r\n\r\n', 400],
  ['a bare LF after a chunk size', 'Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n', 400],
  ['a bare LF in a chunk extension', 'Transfer-Encoding: chunked\r\n\r\n5;a\nb\r\nhello\r\n0\r\n\r\n', 400],
  ['a chunk longer than it says', 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello, all\r\n0\r\n\r\n', 400],
  [
    'Content-Length among the trailers',
    'Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\n\r\nhello',
    400,
  ],
  ['a field that is too long', `X: ${'x'.repeat(40_000)}\r\n\r\n`, 431],
  ['too many fields', `${'X: y\r\n'.repeat(6_000)}\r\n`, 431],
  [
    'chunk extensions without end',
    `Transfer-Encoding: chunked\r\n\r\n5;${'x'.repeat(40_000)}\r\nhello\r\n0\r\n\r\n`,
    413,
  ],
]

for (const [what, rest, status] of heads)
  test(`${what} is refused with ${status}`, async ({ proxy, origin }) => {
    const before = origin.heard.length
    const answer = await converse(
      proxy.port,
      `POST http://127.0.0.1:${origin.port}/ HTTP/1.1\r\nHost: a\r\n${rest}${smuggled}`,
    )
    assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `))
    assert.is(answer.match(/HTTP\/1\.1 /g)?.length, 1, answer)
    // The head of a request whose body is wrong may have gone on; its body has not been ended.
    for (const heard of origin.heard.slice(before)) assert.not.match(heard, /smuggled|0\r\n\r\n$/)
  })

const lines: [what: string, bytes: string, status: number][] = [
  ['HTTP/0.9', 'GET http://a/\r\n\r\n', 505],
  ['HTTP/2.0', 'GET http://a/ HTTP/2.0\r\nHost: a\r\n\r\n', 505],
  ['HTTP/1.2', 'GET http://a/ HTTP/1.2\r\nHost: a\r\n\r\n', 505],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505],
  ['chunks in HTTP/1.0', 'POST http://a/ HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400],
  ['no Host', 'GET http://a/ HTTP/1.1\r\n\r\n', 400],
  ['whitespace before the first field', 'GET http://a/ HTTP/1.1\r\n Host: a\r\n\r\n', 400],
  ['a request line that ends with a bare LF', 'GET http://a/ HTTP/1.1\nHost: a\r\n\r\n', 400],
  ['tabs in the request line', 'GET\thttp://a/\tHTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a space in the target', 'GET http://a/b c HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a method that is none', 'G@T http://a/ HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a target that is too long', `GET http://a/${'a'.repeat(40_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 431],
  ['CONNECT with a body', 'CONNECT a:80 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello', 400],
  [
    'CONNECT with chunks',
    'CONNECT a:80 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    400,
  ],
  ['CONNECT to a URL', 'CONNECT http://a:80/ HTTP/1.1\r\nHost: a\r\n\r\n', 400],
]

for (const [what, bytes, status] of lines)
  test(`${what} is refused with ${status}`, async ({ proxy, origin }) => {
    const before = origin.heard.length
    const answer = await converse(proxy.port, bytes + smuggled)
    assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `))
    assert.is(answer.match(/HTTP\/1\.1 /g)?.length, 1, answer)
    assert.is(origin.heard.length, before)
  })

test('Connection cannot take away what says where a body ends', async ({ proxy, origin }) => {
  await converse(
    proxy.port,
    `DELETE http://127.0.0.1:${origin.port}/ HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: close, Content-Length, Host\r\n\r\nhello`,
  )
  assert.match(
    origin.heard.at(-1)!,
    /^DELETE \/ HTTP\/1\.1\r\nHost: 127\.0\.0\.1:\d+\r\nContent-Length: 5\r\n/,
  )
})

test.run()
