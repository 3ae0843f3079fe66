// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are Terraform's.

import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { block, expression, type Value } from '../../cdktf/hcl-text.ts'
import { NatProxyStack } from '../../cdktf/stack.ts'
import { folder } from '../terraform/module.ts'
import { parseHcl } from '../terraform/parse-hcl.ts'

const test = suite('terraform HCL')

type Values = { [key: string]: Value }

/** Says the same for what the two syntaxes write in two ways: one block or a list of one, an expression bare or in a string. */
function plain(value: Value): Value {
  if (typeof value === 'string') return value.replace(/^\$\{\s*(.*?)\s*\}$/s, '$1')
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    const each = value.map(plain)
    return each.length === 1 && typeof each[0] === 'object' ? each[0]! : each
  }
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => name !== '//')
      .map(([name, below]) => [name, plain(below)]),
  )
}

test('the files say what JSON synthesis says, read by a parser of HCL', async () => {
  const json: Values = JSON.parse(JSON.stringify(new NatProxyStack().toTerraform()))
  const read: Values = {}
  for (const file of readdirSync(folder).filter(name => name.endsWith('.tf')))
    for (const [type, blocks] of Object.entries(
      await parseHcl(file, readFileSync(join(folder, file), 'utf8')),
    )) {
      assert.not(type in read, `${type} is in two files`)
      read[type] = blocks as Value
    }
  assert.equal(plain(read), plain(json))
})

test('the files are as terraform fmt leaves them', () => {
  const program = ['terraform', 'tofu'].find(each => Bun.which(each))
  if (!program)
    return console.error(`\n*** LEFT OUT: ${import.meta.path}: there is no terraform to format with\n`)
  const { status, stdout } = spawnSync(program, ['fmt', '-check', '-diff', '-recursive'], {
    cwd: folder,
    encoding: 'utf8',
  })
  assert.is(status, 0, stdout)
})

for (const [what, value, text] of [
  ['false', false, 'false'],
  ['null', null, 'null'],
  ['nothing', '', '""'],
  ['a reference', '${var.name}', 'var.name'],
  ['an expression with a quotation', '${join(":", ["a}", "b"])}', 'join(":", ["a}", "b"])'],
  ['an expression within a quotation of an expression', '${"a${var.b}}"}', '"a${var.b}}"'],
  ['two expressions', '${var.a}${var.b}', '"${var.a}${var.b}"'],
  ['quotes and a backslash beside an expression', 'say "\\${a}" ${f("x")}', '"say \\"\\\\${a}\\" ${f("x")}"'],
  ['an expression that is none', '$${var.a}', '"$${var.a}"'],
  ['a line break', 'a\nb', '"a\\nb"'],
  ['lines that all end', 'a "b"\n  \\c\n', '<<-EOT\n  a "b"\n    \\c\nEOT'],
  ['a map whose key is no name', { 'a:b': 1, c: [] }, '{\n  "a:b" = 1\n  c     = []\n}'],
] as [string, Value, string][])
  test(`${what} is written as HCL writes it`, () => assert.is(expression(value), text))

test('an interpolation without an end is refused', () => {
  for (const text of ['${var.a', '${"a}']) assert.throws(() => expression(text), 'has no end')
})

test('what the writer makes of any text, the parser reads as that text', async () => {
  for (const text of [
    '"',
    '\\',
    '\\"',
    '\t',
    'ü{}',
    '%',
    '# no comment',
    '$',
    '$a',
    '{${var.a}}',
    '"${f("\\"")}"',
  ])
    for (const value of [text, [text, text], { key: text }]) {
      const written = block({ head: 'locals', body: { arguments: [['a', expression(value)]], blocks: [] } })
      const { locals } = (await parseHcl('a.tf', `${written}\n`)) as { locals: [{ a: Value }] }
      assert.equal(locals[0].a, value, written)
    }
})

test.run()
