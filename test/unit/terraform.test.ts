// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are Terraform's.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { MODES } from '../../cdktf/modes.ts'
import {
  data,
  folder,
  type Json,
  locals,
  output,
  resource,
  terraform,
  variable,
} from '../terraform/module.ts'

const test = suite('terraform module')
const files = readdirSync(folder).filter(file => file.endsWith('.tf'))
const text = files.map(file => readFileSync(join(folder, file), 'utf8')).join('')

test('what is committed is what the stacks give, byte for byte, wherever they are run', () => {
  const elsewhere = mkdtempSync(join(tmpdir(), 'synth-'))
  try {
    const main = fileURLToPath(new URL('../../cdktf/main.ts', import.meta.url))
    const { status, stderr } = spawnSync(process.execPath, [main, '--out', elsewhere], {
      cwd: elsewhere,
      encoding: 'utf8',
    })
    assert.is(status, 0, stderr)
    assert.equal(readdirSync(elsewhere).sort(), files.sort())
    for (const file of files) {
      const [committed, given] = [folder, elsewhere].map(place => readFileSync(join(place, file), 'utf8'))
      assert.is(given, committed, `terraform/${file} is out of date: run \`bun run synth\` and commit it`)
    }
  } finally {
    rmSync(elsewhere, { recursive: true })
  }
})

test('an importer has no provider, backend or hand-written block forced on it', () => {
  assert.not.match(text, /^(provider|module|moved|import|check) /m)
  assert.equal(terraform, {
    required_version: '>= 1.5.0',
    required_providers: { aws: { source: 'hashicorp/aws', version: '>= 6.25.0, < 7.0.0' } },
  })
})

test('nothing tells of the machine that wrote it', () => {
  assert.not.match(text, fileURLToPath(new URL('../..', import.meta.url)))
  assert.not.match(text, /cdktfVersion|stackName|uniqueId|backend|\.tfstate/)
})

test('every reference has a declaration, and every declaration a reference', () => {
  const declared = [
    ...Object.keys(variable).map(name => `var.${name}`),
    ...Object.keys(locals).map(name => `local.${name}`),
    ...Object.entries(data).flatMap(([type, named]) =>
      Object.keys(named).map(name => `data.${type}.${name}`),
    ),
    ...Object.entries(resource).flatMap(([type, named]) => Object.keys(named).map(name => `${type}.${name}`)),
  ]
  const referred = new Set(text.match(/\b(var|local|data\.aws_\w+|(?<!data\.)aws_\w+)\.\w+/g))
  assert.equal(
    [...referred].filter(reference => !declared.includes(reference)),
    [],
  )
  const unused = declared.filter(name => !referred.has(name) && !name.startsWith('aws_'))
  assert.equal(unused, [])
})

test('every variable has a type, a description and a default', () => {
  for (const [name, { type, description, default: fallback, nullable }] of Object.entries(variable)) {
    assert.type(type, 'string', name)
    assert.match(String(description), /\.$/, name)
    assert.is(nullable, fallback === null, `${name}: an importer's null means the default`)
  }
})

test('variables that AWS could refuse late are checked early, with a message that names them', () => {
  const free = Object.keys(variable).filter(name => !variable[name]?.validation)
  assert.equal(free, ['allow_private', 'function_zip', 'function_s3'])
  for (const [name, { validation = [] }] of Object.entries(variable)) {
    for (const { condition, error_message } of validation as { [key: string]: string }[]) {
      assert.match(condition!, `var.${name}`)
      assert.match(error_message!, new RegExp(`^${name} must`))
    }
  }
})

test('modes give the function its memory and its limit, and two variables go before them', () => {
  assert.equal(MODES, {
    test: { memory_mb: 128, timeout_s: 120 },
    normal: { memory_mb: 256, timeout_s: 600 },
    performance: { memory_mb: 512, timeout_s: 900 },
  })
  assert.equal(locals.modes, MODES)
  const { memory_size, timeout } = resource.aws_lambda_function!.exit!
  assert.is(memory_size, '${coalesce(var.memory_mb, local.modes[var.mode].memory_mb)}')
  assert.is(timeout, '${coalesce(var.timeout_s, local.modes[var.mode].timeout_s)}')
})

test('the longest name that is let through makes bucket names of 63 characters at most', () => {
  const [{ condition }] = variable.name!.validation as [{ condition: string }]
  const longest = Number(/length\(var\.name\) <= (\d+)/.exec(condition)?.[1])
  const suffix = `-${'us-isof-south-1'}-${'0'.repeat(8)}`
  assert.match(String(locals.buckets), 'join("-", [var.name, region, substr(sha256(')
  assert.is(longest + suffix.length, 63)
})

// --- the README ---

const readme = readFileSync(join(folder, 'README.md'), 'utf8')

/** The rows of the table under a heading, each as its cells without their backticks. */
const table = (heading: string) =>
  readme
    .split(`## ${heading}\n`)[1]!
    .split('\n## ')[0]!
    .split('\n')
    .filter(line => line.startsWith('| `'))
    .map(line =>
      line
        .slice(2)
        .split(' | ')
        .map(cell => cell.trim().replace(/^`(.*)`$/, '$1')),
    )

test("the README's table of inputs has each variable with its type and default, in order", () => {
  const short = (type: Json) => String(type).replace(/\(object\(.*/, '(object)')
  assert.equal(
    table('Inputs').map(([name, type, fallback]) => [name, type, fallback]),
    Object.entries(variable).map(([name, { type = '', default: fallback }]) => [
      name,
      short(type),
      JSON.stringify(fallback),
    ]),
  )
})

test("the README's table of outputs has each output, in order", () => {
  assert.equal(
    table('Outputs').map(([name]) => name),
    Object.keys(output),
  )
})

test('the README sets no variable that is not there, and reads no such output', () => {
  const [, module = ''] = /module "proxy" {\n([\s\S]*?)\n}/.exec(readme)!
  const set = [...module.matchAll(/^ {2}(\w+) +=/gm)]
    .map(([, name]) => name!)
    .filter(name => name !== 'source')
  const { groups } = /```json\n(?<settings>[\s\S]*?)```/.exec(readme)!
  for (const name of [...set, ...Object.keys(JSON.parse(groups!.settings!))]) assert.ok(variable[name], name)
  for (const [, name] of readme.matchAll(/module\.proxy\.(\w+)/g)) assert.ok(output[name!], name)
})

test.run()
