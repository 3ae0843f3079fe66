import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CodedError } from '../../tunnel/net/coded-error.ts'
import type { ConnHandlers } from '../../tunnel/net/conn.ts'
import { FakeConn } from '../support/fake-conn.ts'

const test = suite('the owner of a connection')

/** An owner that keeps what it hears, as text. */
function listener(log: string[], handlers: Partial<ConnHandlers> = {}): ConnHandlers {
  return {
    data: chunk => void log.push(Buffer.from(chunk).toString()),
    end: () => void log.push('end'),
    drain: () => void log.push('drain'),
    close: broken => void log.push(broken ? 'broken' : 'closed'),
    ...handlers,
  }
}

const turn = () => new Promise<void>(resolve => queueMicrotask(resolve))

test('is one: a second is refused until the first has detached', async () => {
  const conn = new FakeConn()
  const first: string[] = []
  const detach = conn.attach(listener(first))
  assert.throws(
    () => conn.attach(listener([])),
    (error: unknown) => error instanceof CodedError && error.code === 'E_CONN_OWNED',
  )
  detach()
  const second: string[] = []
  conn.attach(listener(second))
  // Whoever is no owner any more changes nothing.
  detach(Buffer.from('late'))
  await turn()
  conn.sayData(Buffer.from('a'))
  assert.equal([first, second], [[], ['a']])
})

test('hears what came while there was none, in its order, and not from within attach', async () => {
  const conn = new FakeConn()
  conn.sayData(Buffer.from('a'))
  conn.sayEnd()
  conn.sayClose(true)
  assert.equal(conn.said, ['pause'])
  const log: string[] = []
  conn.attach(listener(log))
  assert.equal(log, [])
  await turn()
  assert.equal(log, ['a', 'end', 'broken'])
})

test('gets first what the one before has read too far, a copy', async () => {
  const conn = new FakeConn()
  const log: string[] = []
  const detach = conn.attach(
    listener([], {
      data(chunk) {
        detach(chunk.subarray(4))
        chunk.fill(0)
        conn.attach(listener(log))
      },
    }),
  )
  await turn()
  conn.sayData(Buffer.from('headrest'))
  conn.sayData(Buffer.from(', more'))
  await turn()
  assert.equal(log, ['rest', ', more'])
})

test('that pauses hears neither data nor end until it resumes, and then the rest', async () => {
  const conn = new FakeConn()
  const log: string[] = []
  const data = (chunk: Uint8Array) => {
    log.push(Buffer.from(chunk).toString())
    conn.pause()
  }
  conn.attach(listener(log, { data }))
  await turn()
  for (const text of ['a', 'b', 'c']) conn.sayData(Buffer.from(text))
  conn.sayEnd()
  conn.sayClose(false)
  assert.equal(log, ['a'])
  conn.resume()
  assert.equal(log, ['a', 'b'])
  conn.resume()
  conn.resume()
  assert.equal(log, ['a', 'b', 'c', 'end', 'closed'])
})

test('that is paused hears at once of a close behind which nothing waits', async () => {
  const conn = new FakeConn()
  const log: string[] = []
  conn.attach(listener(log))
  conn.pause()
  await turn()
  conn.sayClose(true)
  assert.equal(log, ['broken'])
})

test('hears again of an end and a close that another one heard before', async () => {
  const conn = new FakeConn()
  const detach = conn.attach(listener([]))
  await turn()
  conn.sayEnd()
  conn.sayClose(false)
  detach()
  const log: string[] = []
  conn.attach(listener(log))
  await turn()
  assert.equal(log, ['end', 'closed'])
})

test('is not needed to learn that a connection is gone', () => {
  const conn = new FakeConn()
  const { gone } = conn
  assert.not(gone.aborted)
  conn.sayClose(true)
  assert.ok(gone.aborted)
  const late = new FakeConn()
  late.sayClose(true)
  assert.ok(late.gone.aborted)
})

test.run()
