import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readBody } from '../../cli/client/inbound/http/body.ts'
import { PullConn } from '../../cli/client/inbound/http/pull-conn.ts'
import { FakeConn } from '../support/fake-conn.ts'

// How content is read from a connection.

test('many chunks that came at once are lent from where they lie, and none is copied', async () => {
  const conn = new FakeConn()
  const pull = new PullConn(conn)
  const came = new TextEncoder().encode(`${'3\r\nabc\r\n'.repeat(1_000)}0\r\n\r\nnext`)
  const pieces: string[] = []
  const first = pull.read()
  conn.sayData(came)
  pull.unread((await first)!)
  for await (const piece of readBody(pull, { kind: 'chunked' })) {
    assert.is(piece.buffer, came.buffer)
    pieces.push(Buffer.from(piece).toString())
  }
  assert.is(pieces.length, 1_000)
  assert.is(pieces.join(''), 'abc'.repeat(1_000))
  const behind = await pull.read()
  assert.is(Buffer.from(behind!).toString(), 'next')
})

test.run()
