import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { QuicStream } from '../../tunnel/quic/stream.ts'
import type { Request } from '../../tunnel/session/frames/request.ts'
import { tunnelTo } from '../../tunnel/session/open-stream.ts'
import { content, sha256 } from '../lab/content.ts'
import { type NearExit, nearExit } from '../support/near-exit.ts'
import { exchange, readAll } from '../support/quic-pair.ts'
import { until } from '../support/until.ts'

interface Context {
  exit: NearExit
  /** A stream to one of the exit's services, past its reply. */
  open: (command: Request['command'], host?: string) => Promise<QuicStream>
}

const test = suite<Context>('Measurements')

test.before(async context => {
  context.exit = await nearExit()
  context.open = async (command, host = '0') => {
    const { connection } = await context.exit.select({ host, user: undefined }, 1_000)
    const stream = connection.open()
    const { code } = await tunnelTo(
      stream,
      { command, target: { host, port: 0 } },
      new AbortController().signal,
    )
    assert.is(code, 0)
    return stream
  }
})
test.after(({ exit }) => exit.close())

test('echo gives back what it gets, more than any buffer holds', async ({ open }) => {
  const bytes = content(12_000_000)
  const stream = await open('echo')
  assert.equal(await exchange(stream, bytes), { length: bytes.length, hash: sha256(bytes) })
})

test('discard swallows all, then ends', async ({ open }) => {
  const stream = await open('discard')
  assert.is((await exchange(stream, content(12_000_000))).length, 0)
})

test('chargen gives as many bytes as are wanted', async ({ open }) => {
  for (const wanted of [0, 1, 65_536, 10_000_001]) {
    const stream = await open('chargen', String(wanted))
    assert.is((await readAll(stream)).length, wanted)
    stream.end()
  }
})

test('chargen makes do with a number that is none', async ({ open }) => {
  for (const [wanted, given] of [
    ['-5', 0],
    ['1.5', 1],
    ['0x10', 16],
    ['much', 0],
    ['NaN', 0],
    ['127.0.0.1', 0],
  ] as const) {
    const stream = await open('chargen', wanted)
    assert.is((await readAll(stream)).length, given, wanted)
    stream.end()
  }
})

test('a measurement that is given up leaves nothing behind', async ({ exit, open }) => {
  for (const command of ['echo', 'discard', 'chargen'] as const) {
    const stream = await open(command, '1000000000')
    stream.write(content(100_000))
    stream.abort()
  }
  await until(() => exit.streams() === 0, 'all streams to be gone')
})

test.run()
