import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { buildFor, buildFunctions } from '../../cli/build/build.ts'
import { targets } from '../../cli/build/targets.ts'
import { findCargo } from '../../native/toolchain.ts'
import { version } from '../../package.json'
import { locked } from '../support/locked.ts'
import { need } from '../support/need.ts'
import { patient } from '../support/patience.ts'

// The executable for linux-arm64, run by QEMU with Debian's C library for it.

const root = join(import.meta.dir, '../..')
const libraries = '/usr/aarch64-linux-gnu'
/** A build from nothing, on a busy machine. */
const buildLimitMs = 540_000
const runLimitMs = patient(120_000)

const target = targets.find(({ name }) => name === 'linux-arm64')!
const packages = [
  'qemu-user-static',
  'libc6-arm64-cross',
  'libgcc-s1-arm64-cross',
  'libstdc++6-arm64-cross',
  'curl',
]

interface Context {
  folder: string
  executable: string
}

const test = suite<Context>('the executable for linux-arm64')

test.before(async context => {
  const build = [process.execPath, join(root, 'cli/build/native.ts'), '--only', 'linux-arm64']
  const { status, stderr } = locked('native', build, buildLimitMs)
  assert.is(status, 0, stderr)
  context.folder = await mkdtemp(join(tmpdir(), 'lambda-nat-proxy-test-'))
  context.executable = join(context.folder, 'lambda-nat-proxy')
  await buildFor(target, await buildFunctions(), context.executable)
})
test.after(({ folder }) => rm(folder, { recursive: true, force: true }))

const emulated = (executable: string) => ['qemu-aarch64-static', '-L', libraries, executable]

test('it knows its version', ({ executable }) => {
  const [program, ...args] = emulated(executable)
  const { stdout, stderr } = spawnSync(program!, [...args, '--version'], { encoding: 'utf8' })
  assert.is(stdout, `${version}\n`, stderr)
})

test('a page comes through it and an exit that runs in itself, by the native engine at both ends', async ({
  folder,
  executable,
}) => {
  // The kernel runs no program of another processor's: what the function runs in is emulated, too.
  const node = join(folder, 'node')
  const steps = `[ "$1" = --version ] && echo v24.0.0 && exit\nBUN_BE_BUN=1 exec ${emulated(executable).join(' ')} "$@"`
  await writeFile(node, `#!/bin/sh\n${steps}\n`)
  await chmod(node, 0o755)
  const web = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response('a page') })
  const [program, ...args] = emulated(executable)
  const options = ['--local', '--allow-private', '--port', '0', '--no-dashboard', '--json']
  const proxy = spawn(program!, [...args, 'run', ...options], {
    env: { PATH: process.env.PATH, HOME: folder, TMPDIR: folder, LAMBDA_NAT_PROXY_NODE: node },
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: runLimitMs,
    killSignal: 'SIGKILL',
  })
  try {
    const ended = once(proxy, 'close')
    const events: { type: string; port?: number; engines?: Record<string, string> }[] = []
    for await (const line of createInterface({ input: proxy.stdout })) {
      events.push(JSON.parse(line))
      if (events.at(-1)!.type === 'proxy.ready') break
    }
    const engines = events.find(({ type }) => type === 'exit.ready')!.engines!
    for (const engine of Object.values(engines)) assert.match(JSON.stringify(engine), 'native')
    const port = events.at(-1)!.port
    const curl = ['-sS', '--max-time', '60', '--socks5-hostname', `127.0.0.1:${port}`, web.url.href]
    const fetched = spawn('curl', curl)
    let page = ''
    for await (const chunk of fetched.stdout) page += chunk
    assert.is(page, 'a page')
    proxy.stdout.resume()
    proxy.kill('SIGTERM')
    assert.equal(await ended, [0, null])
  } finally {
    proxy.kill('SIGKILL')
    await web.stop(true)
  }
})

// Programs are looked for in /usr/bin, and so is the library, from there.
const able =
  need(packages, ['qemu-aarch64-static', 'curl', '../aarch64-linux-gnu/lib/libstdc++.so.6']) &&
  (await findCargo()) !== undefined
if (able) test.run()
else if (process.env.CI === 'true') throw new Error('the native engine for linux-arm64 needs cargo')
else console.error('*** LEFT OUT: linux-arm64 needs cargo and QEMU')
