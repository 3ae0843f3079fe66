import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { thisPlatform } from '../../cli/build/targets.ts'
import { staged } from '../release/staged.ts'
import { need } from '../support/need.ts'
import { patient } from '../support/patience.ts'

// Where the executable puts what the system can use from a file only: its QUIC library, and the function.

const limitMs = patient(60_000)

interface Context {
  home: string
  cache: string
  temporary: string
}

const native = thisPlatform()
const test = suite<Context>('the places of the executable')

test.before.each(async context => {
  context.home = await mkdtemp(join(tmpdir(), 'lambda-nat-proxy-test-'))
  context.cache = join(context.home, '.cache')
  context.temporary = join(context.home, 'tmp')
  for (const folder of [context.cache, context.temporary]) await mkdir(folder)
})
test.after.each(({ home }) => rm(home, { recursive: true, force: true }))

const libraries = async ({ cache }: Context) => {
  const folder = join(cache, 'lambda-nat-proxy/addons')
  return (await readdir(folder)).map(name => join(folder, name))
}

/** Starts `run --local`, behind steps of a shell in a mount namespace of its own if there are any. */
function start({ home, temporary }: Context, steps?: string): ChildProcess {
  const command = [staged().executable, 'run', '--local', '--port', '0']
  const options = ['--no-dashboard', '--json']
  const [program, ...args] = [
    ...(steps ? ['unshare', '--mount', 'sh', '-c', `set -e; ${steps}; exec "$@"`, 'sh'] : []),
    ...command,
    ...options,
  ]
  return spawn(program!, args, {
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: home, TMPDIR: temporary },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: limitMs,
    killSignal: 'SIGKILL',
  })
}

/** Waits until the proxy is ready, ends it, and gives the engine that the exit came up with. */
async function passes(context: Context, steps?: string, signal: NodeJS.Signals = 'SIGTERM'): Promise<string> {
  const proxy = start(context, steps)
  const ended = once(proxy, 'close')
  let errors = ''
  proxy.stderr!.on('data', chunk => {
    errors += chunk
  })
  let engine = ''
  createInterface({ input: proxy.stdout! }).on('line', line => {
    const event = JSON.parse(line)
    if (event.type === 'exit.ready') engine = event.engines.client.name
    if (event.type === 'proxy.ready') proxy.kill(signal)
  })
  const [code] = await ended
  assert.is(code, signal === 'SIGKILL' ? null : 0, errors)
  return engine
}

/** The same, of a start that fails: what it says. */
async function fails(context: Context, steps: string): Promise<string> {
  const proxy = start(context, steps)
  let said = ''
  for (const stream of [proxy.stdout!, proxy.stderr!])
    stream.on('data', chunk => {
      said += chunk
    })
  const [code] = await once(proxy, 'close')
  assert.is(code, 1, said)
  return said
}

const canMount = process.getuid?.() === 0 && need(['util-linux', 'mount'], ['unshare', 'mount'])
const mounted = (folder: string, options: string) => `mount -t tmpfs -o ${options} none ${folder}`

test('the library is in the cache, for this user alone, and stays as it is', async context => {
  const engine = await passes(context)
  const [library, ...others] = await libraries(context)
  assert.equal(others, [])
  const { mode, ino } = await stat(library!)
  assert.is(mode & 0o777, 0o700)
  assert.is((await stat(join(library!, '..'))).mode & 0o777, 0o700)
  assert.is(await passes(context), engine)
  assert.is((await stat(library!)).ino, ino)
})

test('one that is not what the executable carries is never loaded, and put right', async context => {
  await passes(context)
  const [library] = await libraries(context)
  const content = await readFile(library!)
  for (const wrong of [Buffer.alloc(content.length, 'x'), content.subarray(0, -1), Buffer.alloc(0)]) {
    await writeFile(library!, wrong)
    await passes(context)
    assert.ok(content.equals(await readFile(library!)))
  }
})

test('a version that nobody has used for a week goes; one that is new stays', async context => {
  await passes(context)
  const [library] = await libraries(context)
  const [old, recent] = [join(library!, '../old.node'), join(library!, '../recent.node')]
  for (const path of [old, recent]) await writeFile(path, '')
  const daysAgo = (days: number) => new Date(Date.now() - days * 24 * 60 * 60_000)
  await utimes(old, daysAgo(8), daysAgo(8))
  // Its own one is used right now.
  await utimes(library!, daysAgo(8), daysAgo(8))
  await passes(context)
  assert.equal((await libraries(context)).sort(), [library!, recent].sort())
})

test('a process that is killed leaves nothing among the temporary files, and the next start tidies up', async context => {
  await passes(context, undefined, 'SIGKILL')
  assert.equal(await readdir(context.temporary), [])
  const runs = join(context.cache, 'lambda-nat-proxy/runs')
  assert.is((await readdir(runs)).length, 1)
  await passes(context)
  assert.equal(await readdir(runs), [])
})

if (canMount) {
  const other: [name: string, options: string][] = [
    ['a cache from which nothing can be run', 'noexec'],
    ['a cache that is read-only', 'ro'],
    ['a cache that is full', 'size=4k'],
  ]
  for (const [name, options] of other)
    test(`${name}: the temporary files are used, and left empty`, async context => {
      const engine = await passes(context)
      assert.is(await passes(context, mounted(context.cache, options)), engine)
      assert.equal(await readdir(context.temporary), [])
    })

  test('nowhere to run from: both places, the reasons and what to do are said', async context => {
    const steps = [mounted(context.cache, 'ro'), mounted(context.temporary, 'noexec')].join('; ')
    const said = await fails(context, steps)
    assert.match(said, `${context.cache}/lambda-nat-proxy/addons (the file system is read-only)`)
    assert.match(said, `nor ${context.temporary} (`)
    assert.match(said, 'set XDG_CACHE_HOME or TMPDIR to a folder')
  })
}

if (native) test.run()
else console.error(`*** LEFT OUT: there is no executable for ${process.platform}-${process.arch}`)
