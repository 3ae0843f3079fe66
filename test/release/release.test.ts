import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { releaseDate } from '../../cli/build/release/date.ts'
import { sbomFile, stem } from '../../cli/build/release/names.ts'
import { terraformModule } from '../../cli/deploy/assets.ts'
import { version } from '../../package.json'
import { need, needNpm } from '../support/need.ts'
import { type Staged, staged, target } from './staged.ts'

const test = suite<Staged & { folders: string[] }>('a release')

test.before(context => void Object.assign(context, staged(), { folders: [] }))
test.after(({ folders }) => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

const run = (command: string, ...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  assert.is(status, 0, `${command} ${args.join(' ')}: ${stdout}${stderr}`)
  return stdout
}
const lines = (text: string) => text.trim().split('\n')

test('its checksums are those of all its files', ({ folder }) => {
  const names = readdirSync(folder).filter(name => !['SHA256SUMS', 'npm'].includes(name))
  const said = run('sh', '-c', 'cd "$1" && LC_ALL=C sha256sum --check --strict SHA256SUMS', 'sh', folder)
  assert.equal(lines(said).sort(), names.map(name => `${name}: OK`).sort())
})

test('the archive has the executable and what belongs beside it, owned by nobody of this machine', ({
  archive,
  executable,
}) => {
  const listed = lines(run('tar', 'tvzf', archive))
  assert.equal(
    listed.map(line => line.split('/').slice(2).join('/')).sort(),
    [
      'LICENSE',
      'THIRD_PARTY_LICENSES.txt',
      'completions/_lambda-nat-proxy',
      'completions/lambda-nat-proxy.bash',
      'completions/lambda-nat-proxy.fish',
      'lambda-nat-proxy',
      'man/lambda-nat-proxy.1',
    ].sort(),
  )
  for (const line of listed) assert.match(line, / root\/root /)
  assert.is(statSync(executable).mode & 0o777, 0o755)
  assert.is(run(executable, '--version'), `${version}\n`)
})

test('the completions are those of the executable itself', ({ executable, unpacked }) => {
  for (const [shell, file] of [
    ['bash', 'lambda-nat-proxy.bash'],
    ['zsh', '_lambda-nat-proxy'],
    ['fish', 'lambda-nat-proxy.fish'],
  ] as const)
    assert.is(readFileSync(join(unpacked, 'completions', file), 'utf8'), run(executable, 'completion', shell))
})

test('the manual page is well-formed, and has every command and option', ({ executable, unpacked }) => {
  if (!need(['mandoc'], ['mandoc'])) return
  const page = join(unpacked, 'man/lambda-nat-proxy.1')
  run('mandoc', '-T', 'lint', '-W', 'warning', page)
  const text = run('sh', '-c', 'mandoc -T utf8 -O width=100 "$1" | col -b', 'sh', page).replace(/\s+/g, ' ')
  const help = run(executable, '--help')
  const commands = [
    ...help
      .split('COMMANDS')[1]!
      .split('OPTIONS')[0]!
      .matchAll(/^ {2}(\S+)/gm),
  ]
  assert.ok(commands.length > 10)
  for (const [, command] of commands) {
    assert.match(text, new RegExp(` ${command}[ \\[<]`))
    for (const [option] of run(executable, command!, '--help').matchAll(/(?<=^ {2}.*)--[\w[\]-]+/gm))
      assert.ok(text.includes(option), `${command} ${option}`)
  }
})

test('the module is in its archive, file by file', async ({ folder, folders }) => {
  const into = mkdtempSync(join(tmpdir(), 'lambda-nat-proxy-test-'))
  folders.push(into)
  run('tar', 'xzf', join(folder, `lambda-nat-proxy_${version}_terraform.tar.gz`), '-C', into)
  const module = await terraformModule()
  assert.equal(readdirSync(into).sort(), Object.keys(module).sort())
  for (const [name, content] of Object.entries(module))
    assert.ok(Buffer.from(content).equals(readFileSync(join(into, name))), name)
})

interface Bom {
  components: { purl: string; licenses: { license?: { id: string }; expression?: string }[] }[]
  dependencies: { ref: string; dependsOn: string[] }[]
}
const bomOf = (folder: string): Bom => JSON.parse(readFileSync(join(folder, sbomFile), 'utf8'))

test('the bill of materials keeps to its schema', async ({ folder }) => {
  const library = '@cyclonedx/cyclonedx-library'
  const packages = [`${library}@10.3.0`, 'ajv@8.20.0', 'ajv-formats@3.0.1', 'ajv-formats-draft2019@1.6.1']
  const home = needNpm(packages)
  if (!home) return
  const { Validation, Spec } = createRequire(join(home, 'package.json'))(library)
  const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6)
  const text = readFileSync(join(folder, sbomFile), 'utf8')
  assert.is(await validator.validate(text), null)
  // It is able to refuse one.
  assert.ok(await validator.validate(text.replace('"type": "library"', '"type": "librarie"')))
})

test('it names the packages of both languages, and no licence that asks more than to be named', ({
  folder,
  unpacked,
}) => {
  const { components, dependencies } = bomOf(folder)
  const urls = components.map(({ purl }) => purl)
  for (const wanted of ['npm/%40aws-sdk/client-s3@', 'npm/%40matrixai/quic-', 'npm/bun@', 'npm/uplot@'])
    assert.ok(
      urls.some(url => url.startsWith(`pkg:${wanted}`)),
      wanted,
    )
  // Tools of ours are not in it.
  for (const other of ['npm/esbuild@', 'npm/typescript@', 'cargo/rcgen@'])
    assert.not.ok(
      urls.some(url => url.startsWith(`pkg:${other}`)),
      other,
    )
  const known = new Set([...urls, `pkg:npm/lambda-nat-proxy@${version}`])
  for (const { ref, dependsOn } of dependencies)
    for (const each of [ref, ...dependsOn]) assert.ok(known.has(each), each)

  const allowed = ['MIT', 'ISC', '0BSD', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', 'Zlib', 'Unicode-3.0']
  const texts = readFileSync(join(unpacked, 'THIRD_PARTY_LICENSES.txt'), 'utf8')
  for (const { purl, licenses } of components) {
    const expression = licenses.map(({ license, expression }) => license?.id ?? expression!).join(' AND ')
    // One of those that there is a choice of will do.
    for (const part of expression.replace(/[()]/g, '').split(' AND '))
      assert.ok(
        part.split(' OR ').some(id => allowed.includes(id)),
        `${purl}: ${expression}`,
      )
    const [, name, of] = /^pkg:\w+\/(.+)@(.+)$/.exec(decodeURIComponent(purl))!
    assert.ok(texts.includes(`${name} ${of} (${expression})`), purl)
  }
})

test('built twice it is the same, whatever the folder, the zone and the hour', context => {
  const into = mkdtempSync(join(tmpdir(), 'lambda-nat-proxy-test-'))
  context.folders.push(into)
  const { status, stderr } = spawnSync(
    process.execPath,
    [join(import.meta.dir, 'stage.ts'), join(into, 'again')],
    {
      cwd: into,
      env: { ...process.env, TZ: 'Pacific/Chatham', TMPDIR: into },
      encoding: 'utf8',
    },
  )
  assert.is(status, 0, stderr)
  const sums = (folder: string) => readFileSync(join(folder, 'SHA256SUMS'), 'utf8')
  assert.is(sums(join(into, 'again')), sums(context.folder))
  for (const name of readdirSync(join(context.folder, 'npm')))
    assert.ok(
      readFileSync(join(into, 'again/npm', name)).equals(readFileSync(join(context.folder, 'npm', name))),
      name,
    )
  assert.match(sums(context.folder), stem(target))
})

test('its time is what SOURCE_DATE_EPOCH says, never one from before zip', () => {
  assert.is(releaseDate('1700000000').toISOString(), '2023-11-14T22:13:20.000Z')
  assert.is(releaseDate('0').getUTCFullYear(), 1980)
  assert.ok(releaseDate('').getTime() <= Date.now())
  for (const wrong of ['now', '-1', '1e9', '1700000000.5'])
    assert.throws(() => releaseDate(wrong), /SOURCE_DATE_EPOCH is .*seconds since 1970/)
})

test.run()
