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

test('a privileged port is refused to who may not have it', async ({ home }) => {
  if (process.getuid?.() !== 0) {
    refuses(await home.run('run', '--local', '--port', '80'), 2, 'port 80', '1024')
    return
  }
  // Root without the right to take it: as anybody else, but able to read these files.
  home.before = ['setpriv', '--bounding-set', '-net_bind_service', '--inh-caps', '-net_bind_service']
  refuses(await home.run('run', '--local', '--port', '80'), 2, 'port 80', '1024')
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
