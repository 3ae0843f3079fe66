import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { sourceFiles } from '../house/imports.ts'

const test = suite('The house: nothing is decided by the text of a message')

const root = join(import.meta.dir, '../..')
/** What holds text for people: a property, or a variable that was taken out of one. */
const text = String.raw`\b(?:message|reason|hint|detail|summary)\b\)?\??`
const offences = [
  new RegExp(String.raw`${text}\.(?:includes|startsWith|endsWith|match|matchAll|search|indexOf)\(`),
  new RegExp(String.raw`${text}\s*[!=]==?\s*['"\x60]`),
  new RegExp(String.raw`['"\x60]\s*[!=]==?\s*(?:\w+\??\.)*${text}(?![\w(])`),
  /\.test\((?:\w+\??\.)*(?:message|reason|hint|detail|summary)\)/,
  /\.exec\((?:\w+\??\.)*(?:message|reason|hint|detail|summary)\)/,
]

test('no regular expression, includes, startsWith or equality on a message', () => {
  const found = sourceFiles(['cli', 'function', 'tunnel', 'native']).flatMap(file =>
    readFileSync(join(root, file), 'utf8')
      .split('\n')
      .map((line, i) => ({ line: line.trim(), at: `${file}:${i + 1}` }))
      .filter(({ line }) => !/^(?:\*|\/\/|\/\*)/.test(line) && offences.some(offence => offence.test(line)))
      .map(({ line, at }) => `${at}: ${line}`),
  )
  assert.equal(found, [])
})

test('the patterns find what they look for, and let codes pass', () => {
  const bad = [
    "if (error.message.includes('command'))",
    "closeReason?.message === 'deadline'",
    "if (message !== 'Done') throw error",
    "'deadline' === reason.message",
    'text.test(message)',
    "error.message?.startsWith('Parse')",
  ]
  const good = [
    "error.code === 'E_X'",
    "message.type === 'hello'",
    'const { message } = error',
    'print(message)',
  ]
  const hits = (line: string) => offences.some(offence => offence.test(line))
  assert.equal(bad.filter(hits), bad)
  assert.equal(good.filter(hits), [])
})

test.run()
