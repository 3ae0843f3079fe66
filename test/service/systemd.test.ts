import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { account } from '../../cli/cloud/s3-auth.ts'
import { freePort } from '../support/free-port.ts'
import { type LocalCloud, startLocalCloud } from '../support/local-cloud.ts'
import { fetchBytes, type Origin, startOrigin } from '../support/origin.ts'
import { until } from '../support/until.ts'
import { machineAvailable } from './available.ts'
import { type Machine, startMachine } from './machine.ts'

// The service under a real systemd, in namespaces of its own; the cloud and the origin are outside.

interface Context {
  machine: Machine
  local: LocalCloud
  origin: Origin
  port: number
}

const stack = 'team-proxy'
const test = suite<Context>('The service under systemd')

test.before.each(async context => {
  context.machine = await startMachine()
  context.local = await startLocalCloud()
  context.origin = await startOrigin()
  context.port = await freePort()
})

test.after.each(async ({ machine, local, origin }) => {
  await machine.close()
  origin.close()
  await local.close()
})

/** Writes a file on the machine. */
const write = ({ machine }: Context, path: string, text: string) =>
  machine.must(['sh', '-c', 'mkdir -p "$(dirname "$1")" && printf %s "$2" > "$1"', 'sh', path, text])

/** Settings, credentials and the deployment's state, as `deploy` would have left them. */
async function configure(
  context: Context,
  folders: { config: string; state: string },
  more = '',
): Promise<string> {
  const { local, port } = context
  const path = `${folders.config}/lambda-nat-proxy.yaml`
  const { accessKeyId, secretAccessKey } = local.cloud.credentials
  await write(
    context,
    path,
    `aws:\n  regions: [${local.region}]\ndeployment:\n  stack_name: ${stack}\nfleet:\n  trigger: s3\ndashboard:\n  enabled: false\nproxy:\n  port: ${port}\n  stun_server: [${local.cloud.stunServers.join(', ')}]\n${more}`,
  )
  await write(
    context,
    `${folders.config}/environment`,
    `AWS_ENDPOINT_URL=${local.s3.endpoint}\nAWS_ACCESS_KEY_ID=${accessKeyId}\nAWS_SECRET_ACCESS_KEY=${secretAccessKey}\n`,
  )
  const arn = `arn:aws:lambda:${local.region}:${account}:function:${stack}`
  const functions = { [local.region]: { name: stack, arn, log_group: `/aws/lambda/${stack}` } }
  const outputs = { buckets: { value: { [local.region]: local.bucket } }, functions: { value: functions } }
  const state = JSON.stringify({ version: 4, outputs })
  await write(context, `${folders.state}/${stack}/terraform.tfstate`, state)
  return path
}

const ofSystem = { config: '/etc/lambda-nat-proxy', state: '/var/lib/private/lambda-nat-proxy' }
const unit = 'lambda-nat-proxy.service'
const property = async ({ machine }: Context, name: string) =>
  (await machine.must(['systemctl', 'show', unit, `--property=${name}`, '--value'])).trim()
/** The endpoint's regions have names of their own, which settings are checked against. */
const endpoint = ({ local }: Context) => ({ AWS_ENDPOINT_URL: local.s3.endpoint })
const service = (context: Context, ...args: string[]) =>
  context.machine.must([...context.machine.program, 'service', ...args, '--system'], endpoint(context))
const nobody = ['setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups', '--']
const works = async ({ origin, port }: Context) =>
  assert.ok((await fetchBytes({ origin, proxy: port, bytes: 1_000 })).complete)

if (machineAvailable()) {
  test('the system: installed, reloaded under a download, stopped, started, gone', async context => {
    const { machine, origin, port, local } = context
    await configure(context, ofSystem)
    await service(context, 'install')
    // Type=notify: it is ready by now.
    await works(context)
    const status = JSON.parse(await service(context, 'status', '--json'))
    assert.equal(
      { installed: status.installed, enabled: status.enabled, running: status.running },
      { installed: true, enabled: true, running: true },
    )
    assert.match(status.detail, /active \(running\), 1 exit: 127\.0\.0\.1/)
    const owner = (await machine.must(['stat', '-c', '%U %a', '/run/lambda-nat-proxy'])).trim()
    assert.is(owner, 'lambda-nat-proxy 700')
    const exits = JSON.parse(await machine.must([...machine.program, 'exits', '--json']))
    assert.is(exits[0].region, local.region)

    let received = 0
    const download = fetchBytes({
      ...{ origin, proxy: port, bytes: 4_000_000, rate: 1_000_000 },
      onProgress: bytes => {
        received = bytes
      },
    })
    await until(() => received > 100_000, 'the download to begin')
    await configure(context, ofSystem, '  rules: [block *:25]\n')
    await machine.must(['systemctl', 'reload', unit])
    const log = () => service(context, 'logs')
    await until(async () => (await log()).includes('In effect now: proxy.rules block *:25'), 'the reload')
    await configure(context, ofSystem, '  rules: [explode *]\n')
    await machine.must(['systemctl', 'reload', unit])
    await until(
      async () => (await property(context, 'StatusText')).includes('reload failed'),
      'the status to say so',
    )
    const { complete, wrong } = await download
    assert.equal(
      { complete, wrong, pid: await property(context, 'MainPID') },
      { complete: true, wrong: 0, pid: String(status.pid) },
    )
    await works(context)

    await service(context, 'stop')
    assert.is(await property(context, 'Result'), 'success')
    assert.equal(await local.keys(), [], 'it has said goodbye')
    assert.is((await machine.run([...machine.program, 'service', 'status', '--system'])).code, 1)
    await configure(context, ofSystem)
    await service(context, 'start')
    await works(context)
    await service(context, 'uninstall')
    assert.is(await property(context, 'LoadState'), 'not-found')
    assert.is((await machine.run([...machine.program, 'service', 'start', '--system'])).code, 1)
  })

  test('one that hangs is started again; one with wrong settings is not, and says why', async context => {
    const { machine } = context
    await configure(context, ofSystem)
    await service(context, 'install')
    await write(
      context,
      `/etc/systemd/system/${unit}.d/soon.conf`,
      '[Service]\nWatchdogSec=2\nRestartSec=0\n',
    )
    await machine.must(['systemctl', 'daemon-reload'])
    await machine.must(['systemctl', 'restart', unit])
    const pid = await property(context, 'MainPID')
    // It lives for longer than the watchdog's time when nothing holds it up.
    await until(
      async () => Number(await property(context, 'WatchdogTimestampMonotonic')) > 0,
      'a sign of life',
    )
    await machine.must(['kill', '-STOP', pid])
    await until(async () => (await property(context, 'NRestarts')) === '1', 'another start')
    await until(async () => (await property(context, 'ActiveState')) === 'active', 'it to be ready')
    assert.is.not(await property(context, 'MainPID'), pid)
    await works(context)

    await configure(context, ofSystem, '  http_port: many\n')
    const { code, said } = await machine.run(['systemctl', 'restart', unit])
    assert.is(code, 1, said)
    assert.is(await property(context, 'ActiveState'), 'failed')
    assert.is(await property(context, 'NRestarts'), '0')
    assert.match(await service(context, 'logs'), /http_port must be a port/)
  })

  test('the unit is one that systemd knows all of, and that exposes little', async context => {
    const { machine } = context
    await configure(context, ofSystem)
    await service(context, 'install')
    const path = `/etc/systemd/system/${unit}`
    const verified = await machine.run(['systemd-analyze', 'verify', path])
    assert.equal({ code: verified.code, said: verified.said.trim() }, { code: 0, said: '' })
    const security = await machine.must(['systemd-analyze', 'security', unit, '--no-pager'])
    const exposure = Number(/Overall exposure level[^:]*: ([\d.]+)/.exec(security)?.[1])
    console.log(`figure: systemd-analyze security ${exposure}`)
    assert.ok(exposure > 0 && exposure < 2, security)
    // Somebody else's unit is left alone.
    await write(context, path, '[Service]\nExecStart=/bin/true\n')
    const { said } = await machine.run(
      [...machine.program, 'service', 'install', '--system'],
      endpoint(context),
    )
    assert.match(said, 'was not written by this program')
  })

  test("a user's own service", async context => {
    const { machine } = context
    const without = await machine.run([...nobody, ...machine.program, 'service', 'status'])
    assert.is(without.code, 1, without.said)
    assert.match(without.said, 'this user has no session')
    assert.match(without.said, 'loginctl enable-linger')
    assert.not.match(without.said, 'systemctl')
    await machine.must(['systemctl', 'start', 'manager@nobody'])
    const home = '/run/user/nobody/home'
    const env = { HOME: home, XDG_RUNTIME_DIR: '/run/user/nobody', ...endpoint(context) }
    const asUser = (...command: string[]) => machine.run([...nobody, ...command], env)
    const path = await configure(context, {
      config: `${home}/.config/lambda-nat-proxy`,
      state: `${home}/.local/state/lambda-nat-proxy`,
    })
    await machine.must(['chown', '-R', 'nobody', home])
    const installed = await asUser(...machine.program, 'service', 'install')
    const journal = await machine.must(['journalctl', '--no-pager', '--lines=30', '--output=cat'])
    assert.is(installed.code, 0, `${installed.said} ${journal}`)
    assert.match(installed.said, 'loginctl enable-linger')
    await works(context)
    const status = await asUser(...machine.program, 'service', 'status')
    assert.is(status.code, 0, status.said)
    const file = `${home}/.config/systemd/user/${unit}`
    assert.match(await machine.must(['cat', file]), `run --config ${path}`)
    const verified = await asUser('systemd-analyze', '--user', 'verify', file)
    assert.equal({ code: verified.code, said: verified.said.trim() }, { code: 0, said: '' })
    assert.match((await asUser(...machine.program, 'exits')).said, 'active')
    assert.is((await asUser('systemctl', '--user', 'reload', unit)).code, 0)
    await works(context)
    const gone = await asUser(...machine.program, 'service', 'uninstall')
    assert.is(gone.code, 0, gone.said)
    assert.is((await machine.run(['test', '-e', file])).code, 1)
  })
}

test.run()
