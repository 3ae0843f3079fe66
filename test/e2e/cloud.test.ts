import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { strToU8, zipSync } from 'fflate'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { leftBehind } from '../support/left-behind.ts'
import { runs } from '../support/runs.ts'
import { until } from '../support/until.ts'

const root = join(import.meta.dir, '../..')
const node = join(root, 'node_modules/node/bin/node')
const source = `exports.handler = event => {
  console.log(JSON.stringify({ message: 'event', event }))
  return new Promise(() => setInterval(() => {}, 1000))
}`

interface Line {
  type: string
  endpoint?: string
  buckets?: Record<string, string>
  credentials?: { accessKeyId: string; secretAccessKey: string }
  record?: { message: unknown; pid: number }
}

interface Run {
  process: ChildProcess
  /** The next line of this type; of the function's log, the next with this message. */
  line(type: string, message?: string): Promise<Line>
  errors(): string
  exit: Promise<[code: number | null, signal: string | null]>
}

interface Context {
  folder: string
  run: (...args: string[]) => Run
  runs: Run[]
}

const test = suite<Context>('lambda-nat-proxy cloud')

test.before.each(async context => {
  context.folder = await mkdtemp(join(tmpdir(), 'lambda-nat-proxy-test-'))
  context.runs = []
  const zip = join(context.folder, 'function.zip')
  await writeFile(zip, zipSync({ 'index.js': strToU8(source) }))
  context.run = (...args) => {
    const usual = { '--s3-port': '0', '--stun-port': '0', '--function': zip, '--node': node }
    const given = [
      ...Object.entries(usual)
        .filter(([option]) => !args.includes(option))
        .flat(),
      ...['--json', ...args],
    ]
    const child = spawn(process.execPath, [join(root, 'cli/main.ts'), 'cloud', ...given], {
      // Its temporary folders lie in this test's.
      env: { ...process.env, TMPDIR: context.folder, XDG_CACHE_HOME: join(context.folder, '.cache') },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    let errors = ''
    child.stderr.on('data', chunk => {
      errors += chunk
    })
    const run: Run = {
      process: child,
      async line(type, message) {
        for (;;) {
          const { done, value } = await lines.next()
          if (done) throw new Error(`the cloud ended before "${message ?? type}": ${errors}`)
          const line: Line = JSON.parse(value)
          if (line.type === type && line.record?.message === message) return line
        }
      },
      errors: () => errors,
      exit: once(child, 'close') as Run['exit'],
    }
    context.runs.push(run)
    return run
  }
})

test.after.each(async ({ folder, runs }) => {
  for (const run of runs) run.process.kill('SIGKILL')
  await Promise.all(runs.map(run => run.exit))
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
})

/** Starts a session as a client would, pointed at the cloud by its own words; gives the function's process. */
async function offer(run: Run): Promise<number> {
  const { endpoint, buckets, credentials } = await run.line('cloud.ready')
  const client = new S3Client({ endpoint, forcePathStyle: true, region: 'local-1', credentials })
  await client.send(
    new PutObjectCommand({ Bucket: buckets!['local-1'], Key: 'sessions/abc/offer.json', Body: '{}' }),
  )
  client.destroy()
  const { record } = await run.line('function.log', 'event')
  return record!.pid
}

const ended = (pid: number) => until(() => !runs(pid), `the end of process ${pid}`)

test('an offer starts the function; Ctrl-C ends its process and all else and exits with 0', async ({
  run,
  folder,
}) => {
  const cloud = run()
  const pid = await offer(cloud)
  cloud.process.kill('SIGINT')
  await cloud.line('cloud.closed')
  assert.equal(await cloud.exit, [0, null])
  await ended(pid)
  assert.equal(leftBehind(folder, folder), [])
})

test('a function process ends by itself when the cloud is killed', async ({ run }) => {
  const cloud = run()
  const pid = await offer(cloud)
  cloud.process.kill('SIGKILL')
  await cloud.exit
  await ended(pid)
})

test('a second Ctrl-C exits at once with 130', async ({ run }) => {
  const cloud = run()
  await cloud.line('cloud.ready')
  // Both are pending when it goes on, so that it cannot have closed in between.
  cloud.process.kill('SIGSTOP')
  cloud.process.kill('SIGINT')
  cloud.process.kill('SIGTERM')
  cloud.process.kill('SIGCONT')
  assert.equal(await cloud.exit, [130, null])
})

test('bad input is an error that names the option, and exit code 2', async ({ run }) => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as { port: number }
  for (const [args, ...words] of [
    [['--s3-port', String(port)], String(port), 'in use', '--s3-port'],
    [['--stun-port', 'x'], '--stun-port x'],
    [['--s3-port', '65536'], '--s3-port 65536'],
    [['--host', '192.0.2.1'], '192.0.2.1', '--host'],
    [['--regions', 'local-1,local-1'], '--regions'],
    [['--function', 'none.zip'], 'none.zip'],
    [['--node', 'none'], 'none', '--node'],
  ] as const) {
    const failed = run(...args)
    assert.equal(await failed.exit, [2, null], args.join(' '))
    for (const word of words) assert.match(failed.errors(), word)
  }
  taken.close()
})

test.run()
