import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { EarlyConn } from '../../tunnel/session/early-conn.ts'
import { encodeReply, type Reply, reply, unbound } from '../../tunnel/session/frames/reply.ts'
import { encodeRequest, type Request } from '../../tunnel/session/frames/request.ts'
import { ExitLostError } from '../../tunnel/session/open-stream.ts'
import { FakeConn } from '../support/fake-conn.ts'

const test = suite('A connection that is used before its reply')

const request: Request = { command: 'connect', target: { host: 'example.com', port: 443 } }
const accepted = Buffer.from(encodeReply({ code: reply.succeeded, bound: unbound }))
const refused = Buffer.from(encodeReply({ code: reply.refused, bound: unbound }))

/** One over a stream that the test speaks for, and what its owner heard. */
async function opened() {
  const stream = new FakeConn()
  const conn = new EarlyConn(stream, request)
  const heard: string[] = []
  conn.attach({
    data: chunk => heard.push(Buffer.from(chunk).toString()),
    end: () => heard.push('<end>'),
    drain() {},
    close: broken => heard.push(broken ? '<broken>' : '<closed>'),
  })
  await Promise.resolve()
  const answer = conn.reply.then(
    ({ code }: Reply) => code,
    (error: unknown) => {
      assert.instance(error, ExitLostError)
      return (error as ExitLostError).code
    },
  )
  return { stream, conn, heard, answer }
}

test('what is written goes behind the request; the reply is cut off, however it comes', async () => {
  for (const pieces of [
    [Buffer.concat([accepted, Buffer.from('hello')])],
    [...Buffer.concat([accepted, Buffer.from('hello')])].map(byte => Buffer.of(byte)),
  ]) {
    const { stream, conn, heard, answer } = await opened()
    conn.write(Buffer.from('GET /'))
    assert.equal(Buffer.concat(stream.written), Buffer.concat([encodeRequest(request), Buffer.from('GET /')]))
    for (const piece of pieces) stream.sayData(piece)
    assert.is(await answer, reply.succeeded)
    stream.sayEnd()
    stream.sayClose(false)
    assert.is(heard.join(''), 'hello<end><closed>')
    assert.not.ok(stream.said.includes('abort'))
  }
})

test('a refusal breaks it, and none of what follows is passed on', async () => {
  const { stream, heard, answer } = await opened()
  stream.sayData(Buffer.concat([refused, Buffer.from('not for you')]))
  assert.is(await answer, reply.refused)
  assert.ok(stream.said.includes('abort'))
  // As it looks where the stream itself ended well.
  stream.sayClose(false)
  assert.equal(heard, ['<broken>'])
})

test('an end before the reply is no end of the target’s, and what is no reply is told as such', async () => {
  const ended = await opened()
  ended.stream.sayEnd()
  assert.is(await ended.answer, 'E_EXIT_LOST')
  assert.equal(ended.heard, [])
  assert.ok(ended.stream.said.includes('abort'))

  const odd = await opened()
  odd.stream.sayData(Buffer.from([0xee, 0, 1, 0, 0, 0, 0, 0, 0]))
  assert.is(await odd.answer, 'E_EXIT_REPLY_MALFORMED')
  assert.ok(odd.stream.said.includes('abort'))
})

test('one that was given up waits for no reply', async () => {
  const { stream, conn, answer } = await opened()
  conn.abort()
  stream.sayEnd()
  assert.is(await Promise.race([answer, new Promise(resolve => setImmediate(resolve, 'nothing'))]), 'nothing')
})

test.run()
