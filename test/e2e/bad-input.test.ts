import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Cloud, startCloud } from '../../cli/local/cloud.ts'
import { functionZip } from '../support/function-zip.ts'
import { tcpServer } from '../support/servers.ts'

interface Context {
  cloud: Cloud
  folder: string
  /** Runs the command to its end. */
  run: (args: string[], env?: Record<string, string>, command?: string[]) => Promise<Ended>
}

interface Ended {
  code: number | null
  said: string
}

const main = join(import.meta.dir, '../../cli/main.ts')
const test = suite<Context>('What is asked wrongly of run')

test.before(async context => {
  context.folder = await mkdtemp(join(tmpdir(), 'lambda-nat-proxy-test-'))
  context.cloud = await startCloud({ functionZip: functionZip(), prewarm: 0 })
  context.run = async (args, env = {}, command = []) => {
    const [program, ...rest] = [...command, process.execPath, main, ...args]
    const child = spawn(program!, rest, {
      // Nothing of this machine's AWS: neither its files nor its metadata.
      env: {
        PATH: process.env.PATH,
        HOME: context.folder,
        TMPDIR: context.folder,
        AWS_EC2_METADATA_DISABLED: 'true',
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let said = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', chunk => {
        said += chunk
      })
    const limit = setTimeout(() => child.kill('SIGKILL'), 30_000)
    const [code] = await once(child, 'close')
    clearTimeout(limit)
    return { code, said }
  }
})
test.after(async ({ cloud, folder }) => {
  await cloud.close()
  await rm(folder, { recursive: true, force: true })
})

/** Ends with this code, saying all of this, and no stack of ours. */
function refuses({ code, said }: Ended, expected: number, ...words: string[]): void {
  assert.is(code, expected, said)
  for (const word of words) assert.match(said, word)
  assert.not.match(said, /\bat .*\.ts:\d+/)
}

test('options and commands that do not exist are named', async ({ run }) => {
  refuses(await run(['run', '--prot', '1']), 2, '--prot', '--help')
  refuses(await run(['run', 'extra', '--local']), 2, 'extra')
  refuses(await run(['rnu']), 2, 'rnu')
  refuses(await run([]), 2, 'no command')
})

test('values that are none are named with their option', async ({ run }) => {
  for (const [args, ...words] of [
    [['--local', '--port', '65536'], '--port 65536'],
    [['--local', '--port', '-1'], '--port -1'],
    [['--local', '--port'], '--port'],
    [['--local', '--stun', 'host:0'], '--stun', 'host:0'],
    [['--local', '--stun', 'http://host'], '--stun', 'http://host'],
    [['--local', '--stun', ','], '--stun'],
    [['--local', '--host', '192.0.2.123', '--port', '0'], '192.0.2.123'],
    [['--local', '--bucket', 'b'], '--bucket'],
    [['--allow-private', '--bucket', 'b'], '--allow-private'],
  ] as const)
    refuses(await run(['run', ...args]), 2, ...words)
})

test('a port that is taken is named, with what to do', async ({ run }) => {
  const taken = await tcpServer(() => {})
  refuses(
    await run(['run', '--local', '--port', String(taken.port)]),
    2,
    String(taken.port),
    'in use',
    '--port',
  )
  await taken.close()
})

test('a privileged port is refused to who may not have it', async ({ run }) => {
  if (process.getuid?.() !== 0) {
    refuses(await run(['run', '--local', '--port', '80']), 2, 'port 80', '1024')
    return
  }
  // Root without the right to take it: as anybody else, but able to read these files.
  const bounded = ['setpriv', '--bounding-set', '-net_bind_service', '--inh-caps', '-net_bind_service']
  refuses(await run(['run', '--local', '--port', '80'], {}, bounded), 2, 'port 80', '1024')
})

test('what keeps a session from ever coming up is said with its remedy, and is a failure', async ({
  run,
  cloud,
}) => {
  const place = (bucket: string) => [
    'run',
    '--port',
    '0',
    '--bucket',
    bucket,
    '--region',
    'local-1',
    '--stun',
    cloud.stunServers.join(),
  ]
  const access = {
    AWS_ENDPOINT_URL: cloud.endpoint,
    AWS_ACCESS_KEY_ID: cloud.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: cloud.credentials.secretAccessKey,
  }
  refuses(await run(place('nosuch'), access), 1, 'the bucket nosuch does not exist', '--bucket')
  refuses(
    await run(place('lambda-nat-proxy-local-1'), { AWS_ENDPOINT_URL: cloud.endpoint }),
    1,
    'no AWS credentials were found',
    'AWS_PROFILE',
  )
  refuses(
    await run(place('lambda-nat-proxy-local-1'), { ...access, AWS_ACCESS_KEY_ID: 'AKIAUNKNOWN' }),
    1,
    'does not accept these credentials',
  )
})

test('--version and --help answer with 0, before a command and behind it', async ({ run }) => {
  for (const args of [['--version'], ['run', '--version']]) {
    const { code, said } = await run(args)
    assert.is(code, 0)
    assert.match(said, /^\d+\.\d+\.\d+\n$/)
  }
  for (const args of [['--help'], ['run', '--help'], ['cloud', '--help']]) {
    const { code, said } = await run(args)
    assert.is(code, 0)
    assert.match(said, 'lambda-nat-proxy')
  }
})

test.run()
