import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { unzipSync } from 'fflate'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { nativeBinding } from '../../cli/build/binding.ts'
import { buildAll } from '../../cli/build/build.ts'
import type { BuiltFile } from '../../cli/build/checksums.ts'
import { hasEngine, targets, thisPlatform } from '../../cli/build/targets.ts'
import { terraformModule } from '../../cli/deploy/assets.ts'

interface Context {
  dist: string
  files: BuiltFile[]
}

/** One has no QUIC engine where there is no Rust toolchain. */
const built = targets.filter(hasEngine)
const test = suite<Context>('executables for all platforms')

test.before(async context => {
  context.dist = await mkdtemp(join(tmpdir(), 'lambda-nat-proxy-test-'))
  context.files = await buildAll({ outdir: context.dist, native: thisPlatform(), named: built })
})

test.after(({ dist }) => rm(dist, { recursive: true, force: true }))

const executableOf = ({ name, suffix }: (typeof targets)[number]) => `lambda-nat-proxy-${name}${suffix}`

test('there is one for each platform, and the function', async ({ dist, files }) => {
  const native = thisPlatform()
  const names = [
    ...(hasEngine(targets.find(({ name }) => name === 'linux-arm64')!) ? ['function-arm64.zip'] : []),
    'function.zip',
    ...(native ? [`lambda-nat-proxy${native.suffix}`] : []),
    ...built.map(executableOf),
  ].sort()
  assert.equal(
    files.map(({ name }) => name),
    names,
  )
  assert.equal((await readdir(dist)).sort(), ['SHA256SUMS', ...names])
})

test('sha256sum finds their checksums right', ({ dist, files }) => {
  const { status, stdout } = spawnSync('sha256sum', ['--check', '--strict', 'SHA256SUMS'], {
    cwd: dist,
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  })
  assert.is(status, 0, stdout)
  assert.is(stdout, files.map(({ name }) => `${name}: OK\n`).join(''))
})

test('each is made for its platform', async ({ dist }) => {
  const machOx64 = 'cffaedfe07000001'
  const machOarm64 = 'cffaedfe0c000001'
  const beginnings: Record<string, string> = {
    'linux-x64': '7f454c460201',
    'linux-arm64': '7f454c460201',
    'darwin-x64': machOx64,
    'darwin-arm64': machOarm64,
    'windows-x64': '4d5a',
  }
  for (const target of built) {
    const bytes = await readFile(join(dist, executableOf(target)))
    const beginning = beginnings[target.name]!
    assert.is(bytes.toString('hex', 0, beginning.length / 2), beginning)
  }
})

test('each carries its own native binding, the function and the Terraform module, byte for byte', async ({
  dist,
}) => {
  const common = { 'function.zip': await readFile(join(dist, 'function.zip')), ...(await terraformModule()) }
  assert.ok(Object.keys(unzipSync(common['function.zip'])).includes('index.js'))
  assert.ok(Object.keys(common).includes('main.tf'))
  for (const target of built) {
    const bytes = await readFile(join(dist, executableOf(target)))
    for (const [name, content] of Object.entries(common))
      assert.ok(bytes.includes(content), `${target.name}: ${name}`)
    for (const { binding } of targets) {
      if (!binding) continue
      const content = await readFile(await nativeBinding(binding))
      assert.is(bytes.includes(content), binding === target.binding, `${target.name}: ${binding}`)
    }
  }
})

test("macOS' code signatures cover every byte before them", async ({ dist }) => {
  for (const target of built.filter(({ name }) => name.startsWith('darwin')))
    checkSignature(await readFile(join(dist, executableOf(target))))
})

/** Reads a Mach-O file's code directory and holds its hashes against the file's pages. */
function checkSignature(file: Buffer): void {
  let at = 32
  while (file.readUInt32LE(at) !== 0x1d) at += file.readUInt32LE(at + 4)
  const [start, length] = [file.readUInt32LE(at + 8), file.readUInt32LE(at + 12)]
  assert.is(start + length, file.length, 'the signature ends the file')
  assert.is(file.readUInt32BE(start), 0xfade0cc0)
  const directory = file.subarray(start + file.readUInt32BE(start + 16), start + file.readUInt32BE(start + 4))
  assert.is(directory.readUInt32BE(0), 0xfade0c02)
  assert.is(directory.readUInt32BE(32), start, 'the signature covers what is before it')
  const [hashes, pages] = [directory.readUInt32BE(16), directory.readUInt32BE(28)]
  const pageSize = 1 << directory[39]!
  assert.is(pages, Math.ceil(start / pageSize))
  for (let page = 0; page < pages; page++) {
    const bytes = file.subarray(page * pageSize, Math.min((page + 1) * pageSize, start))
    const hash = directory.subarray(hashes + page * 32, hashes + (page + 1) * 32)
    assert.ok(createHash('sha256').update(bytes).digest().equals(hash), `page ${page}`)
  }
}

test.run()
