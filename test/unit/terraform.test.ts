import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { OUTPUTS } from '../../cdktf/outputs.ts'
import { VARIABLES } from '../../cdktf/variables.ts'
import { folder } from '../terraform/module.ts'
import { parseHcl } from '../terraform/parse-hcl.ts'

const test = suite('terraform module')
const read = (file: string) => readFileSync(join(folder, file), 'utf8')
const modules = readdirSync(folder).filter(file => file.endsWith('.tf'))
const text = modules.map(read).join('')

test('what is committed is what the stacks give, byte for byte, wherever they are run', () => {
  const elsewhere = mkdtempSync(join(tmpdir(), 'synth-'))
  try {
    copyFileSync(join(folder, 'README.md'), join(elsewhere, 'README.md'))
    const main = fileURLToPath(new URL('../../cdktf/main.ts', import.meta.url))
    const { status, stderr } = spawnSync(process.execPath, [main, '--out', elsewhere], {
      cwd: elsewhere,
      encoding: 'utf8',
    })
    assert.is(status, 0, stderr)
    const written = readdirSync(elsewhere)
    for (const file of modules) assert.ok(written.includes(file), `terraform/${file} is of no stack`)
    for (const file of written) {
      const given = readFileSync(join(elsewhere, file), 'utf8')
      assert.ok(given === read(file), `terraform/${file} is out of date: run \`bun run synth\` and commit it`)
    }
  } finally {
    rmSync(elsewhere, { recursive: true })
  }
})

test('an importer has no provider, backend or module of others forced on it', () => {
  assert.not.match(text, /^ *(provider|module|moved|import|check|backend) /m)
})

test('nothing tells of the machine that wrote it', () => {
  assert.not.match(text, fileURLToPath(new URL('../..', import.meta.url)))
  assert.not.match(text, /cdktfVersion|stackName|uniqueId|\.tfstate/)
})

test('every variable has a type, a description and a default, and none takes a null that is not its default', async () => {
  const { variable } = (await parseHcl('variables.tf', read('variables.tf'))) as {
    variable: Record<string, [{ type: string; description: string; default: unknown; nullable: boolean }]>
  }
  assert.equal(Object.keys(variable), Object.keys(VARIABLES).sort())
  for (const [name, [{ type, description, default: given, nullable }]] of Object.entries(variable)) {
    assert.type(type, 'string', name)
    assert.match(description, /\.$/, name)
    assert.is.not(given, undefined, name)
    assert.is(nullable, given === null, name)
  }
})

// --- the README ---

const readme = read('README.md')

test('the README has every input and every output', () => {
  for (const name of [...Object.keys(VARIABLES), ...Object.keys(OUTPUTS)])
    assert.match(readme, `\n| \`${name}\` `)
})

test('the README sets no variable that is not there, and reads no such output', () => {
  const calls = [...readme.matchAll(/^module "\w+" {\n(.*?)\n}/gms)]
  assert.ok(calls.length > 0)
  for (const [, body = ''] of calls)
    for (const [, name = ''] of body.matchAll(/^ {2}(\w+) +=/gm))
      assert.ok(name === 'source' || VARIABLES[name], name)
  const settings = [...readme.matchAll(/```json\n(.*?)```/gs)].flatMap(([, text = '']) =>
    Object.keys(JSON.parse(text)),
  )
  const outputs = [...readme.matchAll(/module\.proxy\.(\w+)/g)].map(([, name]) => name!)
  assert.ok(settings.length > 0 && outputs.length > 0)
  for (const name of settings) assert.ok(VARIABLES[name], name)
  for (const name of outputs) assert.ok(OUTPUTS[name], name)
})

test('the README names each example that there is, and each file that it speaks of is there', () => {
  for (const example of readdirSync(join(folder, 'examples'))) assert.match(readme, `](examples/${example}/)`)
  for (const [, path = ''] of readme.matchAll(/\]\(([\w./-]+)\)/g))
    assert.ok(readdirSync(join(folder, path, '..')).length > 0 && existsHere(path), path)
})

const existsHere = (path: string) => {
  const at = join(folder, path)
  return readdirSync(join(at, '..')).includes(at.replace(/\/$/, '').split('/').at(-1)!)
}

test.run()
