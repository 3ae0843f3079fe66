import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { converse, type NearProxy, nearProxy } from '../support/near-proxy.ts'
import { type RawOrigin, rawOrigin } from '../support/raw-origin.ts'
import { until } from '../support/until.ts'

interface Context {
  proxy: NearProxy
  origin: RawOrigin
  /** Sends a request whose head has these lines, with what follows; gives the answer and what the server heard. */
  ask(line: string, fields?: string, content?: string): Promise<{ answer: string; heard: string }>
}

const test = suite<Context>('HTTP requests')

test.before.each(async context => {
  const origin = await rawOrigin(heard =>
    heard.includes('\r\n\r\n') && !heard.endsWith('MORE')
      ? 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
      : undefined,
  )
  const proxy = await nearProxy()
  context.origin = origin
  context.proxy = proxy
  context.ask = async (line, fields = '', content = '') => {
    const before = origin.heard.length
    const [method, path] = line.split(' ')
    const answer = await converse(
      proxy.port,
      `${method} http://127.0.0.1:${origin.port}${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${fields}\r\n${content}`,
    )
    return { answer, heard: origin.heard.slice(before).join('|') }
  }
})
test.after.each(async ({ proxy, origin }) => {
  proxy.close()
  await origin.close()
})

test('the path goes on byte for byte', async ({ ask }) => {
  for (const path of [
    '/b\xc3\xbccher',
    '/b\xfccher',
    '/%7Euser/../a//b;x=1?q={"a"}|^`',
    '/a?http://x:y@z/',
  ]) {
    const { answer, heard } = await ask(`GET ${path}`)
    assert.match(answer, /^HTTP\/1\.1 200 /, path)
    assert.ok(heard.startsWith(`GET ${path} HTTP/1.1\r\n`), heard)
  }
})

test('the userinfo of a URL becomes Authorization where there is none, and is said nowhere else', async ({
  proxy,
  origin,
}) => {
  const ask = (userinfo: string, fields = '') =>
    converse(
      proxy.port,
      `GET http://${userinfo}@127.0.0.1:${origin.port}/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${fields}\r\n`,
    )
  await ask('bob:s%3Acr%40t')
  assert.match(origin.heard[0]!, `Authorization: Basic ${Buffer.from('bob:s:cr@t').toString('base64')}\r\n`)
  assert.match(origin.heard[0]!, `Host: 127.0.0.1:${origin.port}\r\n`)
  await ask('bob:secret', 'Authorization: Bearer mine\r\n')
  assert.match(origin.heard[1]!, 'Authorization: Bearer mine\r\n')
  assert.not.match(origin.heard[1]!, 'Basic')
  const refused = await converse(
    proxy.port,
    'GET http://bob:secret@127.0.0.1:1/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
  )
  assert.match(refused, /^HTTP\/1\.1 502 /)
  assert.not.match(refused + JSON.stringify(proxy.events), 'secret')
})

test('methods that no list has are passed on', async ({ ask }) => {
  for (const method of ['PURGE', 'BREW', 'X-Custom', 'PROPFIND']) {
    const { heard } = await ask(`${method} /`)
    assert.ok(heard.startsWith(`${method} / HTTP/1.1\r\n`), heard)
  }
})

test('field names keep their spelling, and content goes with an upgrade', async ({ ask }) => {
  const { heard } = await ask(
    'POST /',
    'x-lower: 1\r\nX-UPPER: 2\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 5\r\n',
    'hello',
  )
  assert.match(heard, 'x-lower: 1\r\nX-UPPER: 2\r\nContent-Length: 5\r\n')
  assert.not.match(heard, 'h2c')
  assert.ok(heard.endsWith('\r\n\r\nhello'))
})

test('OPTIONS with no hops left ends here, and with some goes on with one less (RFC 9110, section 7.6.2)', async ({
  ask,
  origin,
}) => {
  const { answer } = await ask('OPTIONS /', 'Max-Forwards: 0\r\n')
  assert.match(answer, /^HTTP\/1\.1 200 OK\r\nallow: /)
  assert.is(origin.heard.length, 0)
  const { heard } = await ask('OPTIONS /', 'Max-Forwards: 3\r\n')
  assert.match(heard, 'Max-Forwards: 2\r\n')
  assert.match((await ask('GET /', 'Max-Forwards: 0\r\n')).heard, 'Max-Forwards: 0\r\n')
})

test('a request whose content breaks off is told so, and the server never takes half for a whole', async ({
  proxy,
  origin,
}) => {
  const answer = await converse(
    proxy.port,
    `POST http://127.0.0.1:${origin.port}/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nMORE\r\nzz\r\n`,
  )
  assert.match(answer, /^HTTP\/1\.1 400 /)
  await until(() => proxy.open() === 0, 'the connection to the server to end')
  assert.not.match(origin.heard[0] ?? '', /0\r\n\r\n$/)
})

test('an answer to content that is still coming arrives, and the connection ends behind it', async ({
  proxy,
}) => {
  const early = await rawOrigin(heard =>
    heard.includes('\r\n\r\n')
      ? { say: 'HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno', end: true }
      : undefined,
  )
  const answer = await converse(
    proxy.port,
    `POST http://127.0.0.1:${early.port}/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(1_000)}`,
  )
  assert.match(answer, /^HTTP\/1\.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno$/)
  await early.close()
})

test('a switch of protocols before the content has ended is no switch', async ({ proxy }) => {
  const eager = await rawOrigin(heard =>
    heard.includes('\r\n\r\n')
      ? 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
      : undefined,
  )
  const answer = await converse(
    proxy.port,
    `POST http://127.0.0.1:${eager.port}/ HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n`,
    said => said.endsWith('\n'),
  )
  assert.match(answer, /^HTTP\/1\.1 502 /)
  await eager.close()
})

test('5,000 requests on one connection leave nothing behind', async ({ proxy, origin }) => {
  const one = `GET http://127.0.0.1:${origin.port}/ HTTP/1.1\r\nHost: x\r\n\r\n`
  const run = async (count: number) => {
    const answer = await converse(
      proxy.port,
      one.repeat(count - 1) + one.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'),
      undefined,
      60_000,
    )
    assert.is(answer.match(/HTTP\/1\.1 200/g)?.length, count)
    origin.heard.length = 0
    Bun.gc(true)
    return process.memoryUsage().heapUsed
  }
  const warnings: Error[] = []
  const hear = (warning: Error) => warnings.push(warning)
  process.on('warning', hear)
  const early = await run(1_000)
  const late = await run(4_000)
  process.off('warning', hear)
  assert.equal(warnings, [])
  assert.ok(late < early * 1.5 + 8e6, `the heap went from ${early} to ${late} bytes`)
})

test.run()
