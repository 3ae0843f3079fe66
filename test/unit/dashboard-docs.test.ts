import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { TargetError, type TargetErrorCode } from '../../cli/client/outbound/target-errors.ts'

const test = suite('docs/events.md')

const root = join(import.meta.dir, '../..')
const read = (path: string) => readFile(join(root, path), 'utf8')
const docs = await read('docs/events.md')

/** The names that a source has for something, by a pattern with one group. */
const namesIn = async (path: string, pattern: RegExp) =>
  [...(await read(path)).matchAll(pattern)].map(([, name]) => name!)

test('describes every event', async () => {
  const types = [
    ...(await namesIn('cli/client/stats/events.ts', /type: '([a-z]+\.[a-z]+)'/g)),
    ...(await namesIn('cli/output/json-reporter.ts', /type: '([a-z]+\.[a-z]+)'/g)),
  ]
  assert.ok(types.length > 15)
  for (const type of types) assert.match(docs, `- \`${type}\`: `, type)
})

test('names every field of the state', async () => {
  const fields = await namesIn('cli/client/stats/state.ts', /^ {2}(\w+)\??: /gm)
  assert.ok(fields.length > 50)
  for (const field of fields) assert.match(docs, `\`${field}\``, field)
})

test('has each code of a refused connection, with its reply', async () => {
  const codes = await namesIn('cli/client/outbound/target-errors.ts', /^ {2}\| '(E_\w+)'/gm)
  assert.ok(codes.length > 10)
  for (const code of codes) {
    const { reply } = new TargetError(code as TargetErrorCode, 'example.org')
    assert.match(docs, new RegExp(`\`${code}\` *\\| ${reply} `), code)
  }
})

test('has each code of a rejected client', async () => {
  const codes = await namesIn('cli/client/inbound/rejection.ts', /^ {2}\| '(E_\w+)'/gm)
  assert.ok(codes.length > 5)
  for (const code of codes) assert.match(docs, `\`${code}\``, code)
})

test.run()
