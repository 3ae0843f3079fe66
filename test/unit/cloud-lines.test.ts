import { PassThrough } from 'node:stream'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { maxLineLength, readLines } from '../../cli/cloud/lines.ts'

const test = suite("lines of a function process's output")

async function linesOf(...chunks: (string | Buffer)[]): Promise<string[]> {
  const stream = new PassThrough()
  const lines: string[] = []
  readLines(stream, line => lines.push(line))
  for (const chunk of chunks) stream.write(chunk)
  stream.end()
  await new Promise(resolve => stream.once('end', resolve))
  return lines
}

test('lines come whole, however the text is cut, and the last one needs no end', async () => {
  const bytes = Buffer.from('one\ntwö\r\n\nlast')
  const expected = ['one', 'twö', '', 'last']
  assert.equal(await linesOf(bytes), expected)
  assert.equal(await linesOf(...Array.from(bytes, byte => Buffer.of(byte))), expected)
  assert.equal(await linesOf('only\n'), ['only'])
  assert.equal(await linesOf(), [])
})

test('a line without an end is cut in pieces, and nothing of it is lost', async () => {
  const chunk = 'x'.repeat(100_000)
  const lines = await linesOf(...Array.from({ length: 30 }, () => chunk), '\nend')
  assert.is(lines.at(-1), 'end')
  assert.ok(lines.every(({ length }) => length <= maxLineLength + chunk.length))
  assert.is(lines.join('').length, 30 * chunk.length + 'end'.length)
})

test.run()
