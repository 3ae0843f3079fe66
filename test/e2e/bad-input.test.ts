import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Cloud, startCloud } from '../../cli/cloud/cloud.ts'
import { type Ended, type Home, makeHome } from '../support/command.ts'
import { functionZip } from '../support/function-zip.ts'
import { tcpServer } from '../support/servers.ts'

interface Context {
  cloud: Cloud
  home: Home
}

const test = suite<Context>('What is asked wrongly of run')

test.before(async context => {
  context.cloud = await startCloud({ functionZip: functionZip(), prewarm: 0 })
})
test.before.each(async context => {
  context.home = await makeHome()
  context.home.environment.TMPDIR = context.home.folder
})
test.after.each(({ home }) => home.remove())
test.after(({ cloud }) => cloud.close())

/** Ends with this code, saying all of this, and no stack of ours. */
function refuses({ code, said }: Ended, expected: number, ...words: string[]): void {
  assert.is(code, expected, said)
  for (const word of words) assert.match(said, word)
  assert.not.match(said, /\bat .*\.ts:\d+/)
}

test('options and commands that do not exist are named', async ({ home }) => {
  refuses(await home.run('run', '--prot', '1'), 2, '--prot', '--help')
  refuses(await home.run('run', 'extra', '--local'), 2, 'extra')
  refuses(await home.run('run', '-region', 'eu-west-1'), 2, "'-region' has one dash; did you mean --region")
  refuses(await home.run('rnu'), 2, "there is no command 'rnu'; did you mean run?")
  refuses(await home.run('config', 'inti'), 2, "there is no command 'config inti'; did you mean init?")
  refuses(await home.run('help', 'rnu'), 2, "there is no command 'rnu'; did you mean run?")
  refuses(await home.run('--local'), 2, "'--local' needs a command before it: run")
  refuses(await home.run(), 2, 'no command')
})

test('values that are none are named with their option', async ({ home }) => {
  for (const [args, ...words] of [
    [['--local', '--port', '65536'], '--port 65536'],
    [['--local', '--port', '-1'], '--port -1'],
    [['--local', '--port'], '--port'],
    [['--local', '-p', '65536'], '--port 65536'],
    [['--local', '--rotate', '90'], '--rotate 90 has no unit: give 90s for seconds or 90m for minutes'],
    [['--local', '--rotate', 'soon'], '--rotate soon', '90s, 5m or 1h'],
    [['--local', '--stun', 'host:0'], '--stun', 'host:0'],
    [['--local', '--stun', 'http://host'], '--stun', 'http://host'],
    [['--local', '--stun', ','], '--stun'],
    [['--local', '--host', '192.0.2.123', '--port', '0'], '192.0.2.123'],
    [['--local', '--bucket', 'b'], '--bucket'],
    [['--allow-private', '--bucket', 'b'], '--allow-private'],
  ] as const)
    refuses(await home.run('run', ...args), 2, ...words)
})

test('options that contradict each other are named', async ({ home }) => {
  refuses(await home.run('run', '--local', '-q', '-v'), 2, '--quiet and --verbose')
  refuses(await home.run('run', '--local', '--quiet', '--json'), 2, '--quiet and --json')
})

test('a port that is taken is named, with what to do', async ({ home }) => {
  const taken = await tcpServer(() => {})
  refuses(
    await home.run('run', '--local', '--port', String(taken.port)),
    2,
    String(taken.port),
    'in use',
    '--port',
  )
  await taken.close()
})

test('all that is wrong is said at once, before anything is announced', async ({ home }) => {
  const settings = await home.run('run', '--local', '--port', 'x', '--rotate', '9', '--exit', 'best')
  refuses(settings, 2, '--port x', '--rotate 9', '--exit best')

  const taken = await tcpServer(() => {})
  const [port, page] = [String(taken.port), '--dashboard-port']
  const ports = await home.run(
    'run',
    '--local',
    '--json',
    '--port',
    port,
    page,
    port,
    '--listen',
    'http://192.0.2.9:1',
  )
  refuses(
    ports,
    2,
    `127.0.0.1:${port}, for the proxy, is in use`,
    `${port}, for the dashboard, is in use`,
    '192.0.2.9',
  )
  assert.is(ports.stdout, '')
  // Nor is the region forgotten, where it is AWS that has the exits.
  const region = await home.run('run', '--port', port)
  refuses(region, 2, 'is in use', 'no AWS region is known')
  assert.not.match(region.said, 'Dashboard')
  await taken.close()

  await writeFile(join(home.folder, 'empty'), '')
  const files = ['--auth-file', 'missing', '--listen', 'http://127.0.0.1:0?auth-file=empty']
  refuses(
    await home.run('run', '--local', ...files),
    2,
    'missing cannot be read: there is no such file',
    'empty contains no login',
  )
})

test('a file of logins that others can read is warned of', async ({ home }) => {
  const file = join(home.folder, 'logins')
  const taken = await tcpServer(() => {})
  const warned = async (mode: number) => {
    await writeFile(file, 'alice:secret\n')
    await chmod(file, mode)
    return (await home.run('run', '--local', '--auth-file', file, '--port', String(taken.port))).said
  }
  for (const mode of [0o644, 0o640, 0o604])
    assert.match(await warned(mode), `can read the logins in ${file}. Run: chmod 600 ${file}`)
  assert.not.match(await warned(0o600), 'chmod')
  await taken.close()
})

test('a privileged port is refused to who may not have it', async ({ home }) => {
  if (process.getuid?.() !== 0) {
    refuses(await home.run('run', '--local', '--port', '80'), 2, '127.0.0.1:80', '1024')
    return
  }
  // Root without the right to take it: as anybody else, but able to read these files.
  home.before = ['setpriv', '--bounding-set', '-net_bind_service', '--inh-caps', '-net_bind_service']
  refuses(await home.run('run', '--local', '--port', '80'), 2, '127.0.0.1:80', '1024')
})

test('what keeps a session from ever coming up is said with its remedy, and is a failure', async ({
  home,
  cloud,
}) => {
  const stun = cloud.stunServers.join()
  const run = (bucket: string) =>
    home.run('run', '--port', '0', '--bucket', bucket, '--region', 'local-1', '--stun', stun)
  const bucket = 'lambda-nat-proxy-local-1'
  home.environment.AWS_ENDPOINT_URL = cloud.endpoint
  refuses(await run(bucket), 1, 'no AWS credentials were found', 'AWS_PROFILE')
  home.environment.AWS_ACCESS_KEY_ID = cloud.credentials.accessKeyId
  home.environment.AWS_SECRET_ACCESS_KEY = cloud.credentials.secretAccessKey
  refuses(await run('nosuch'), 1, 'the bucket nosuch does not exist', '--bucket')
  home.environment.AWS_ACCESS_KEY_ID = 'AKIAUNKNOWN'
  refuses(await run(bucket), 1, 'does not accept these credentials')
})

test('a variable that is no URL is named', async ({ home }) => {
  home.environment.AWS_ENDPOINT_URL = 'garbage'
  refuses(await home.run('status'), 2, 'AWS_ENDPOINT_URL garbage is not a URL')
})

test('what the system refuses is said in words', async ({ home }) => {
  home.environment.TMPDIR = join(home.folder, 'none')
  home.environment.XDG_CACHE_HOME = '/dev/null'
  const { said, code } = await home.run('run', '--local', '--port', '0')
  assert.is(code, 1)
  assert.match(said, '/dev/null/lambda-nat-proxy/runs (a part of the path is not a folder)')
  assert.match(said, 'none (there is no such file or folder). Set XDG_CACHE_HOME or TMPDIR')
  assert.not.match(said, /ENOENT|\.ts:/)
})

test('a reader that leaves ends nothing in an error', async ({ home }) => {
  home.command = ['sh', '-c', '"$@" | true', 'sh', ...home.command]
  for (const command of ['help', 'completion bash', 'doctor --local --no-punch'])
    assert.is((await home.run(...command.split(' '))).said, '', command)
})

test('version and help answer with 0, as options and as commands', async ({ home }) => {
  for (const args of [['--version'], ['-v'], ['version'], ['run', '--version']]) {
    const { code, stdout } = await home.run(...args)
    assert.is(code, 0)
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/)
  }
  for (const command of [[], ['run'], ['config', 'init']]) {
    const { code, stdout } = await home.run(...command, '--help')
    assert.is(code, 0)
    assert.match(stdout, 'lambda-nat-proxy')
    assert.is((await home.run('help', ...command)).stdout, stdout)
    assert.is((await home.run(...command, '-h')).stdout, stdout)
  }
})

test.run()
