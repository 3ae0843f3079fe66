import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { launchdLabel, launchdPlist } from '../../cli/service/launchd-plist.ts'
import { outOfReach } from '../../cli/service/systemd-reach.ts'
import { systemdUnit } from '../../cli/service/systemd-unit.ts'
import { taskXml } from '../../cli/service/task-xml.ts'
import { need } from '../support/need.ts'

// What launchd and Windows are given cannot be tried here: it is checked against what they say that they take.

const test = suite('Definitions of the service')
const folder = mkdtempSync(join(tmpdir(), 'lambda-nat-proxy-test-'))
test.after(() => rmSync(folder, { recursive: true }))

/** A path with all that a shell, XML or a unit could take for something else. */
const awkward = `/opt/a & b <c> "d" 'e' %n $HOME \\f`

function xmllint(...args: string[]): { code: number | null; said: string } {
  const { status, stderr } = spawnSync('xmllint', ['--noout', '--nonet', ...args], { encoding: 'utf8' })
  return { code: status, said: stderr }
}

function write(name: string, content: string | Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

test('systemd: where it cannot be asked the next step is said', () => {
  const booted = '/run/systemd/system'
  const said = (scope: 'user' | 'system', env: Record<string, string>, ...there: string[]) => {
    const error = outOfReach(scope, { env, uid: 7, exists: path => there.includes(path) })
    return error && [error.code, error.message, error.hint].join(' ')
  }
  assert.match(said('system', {})!, /E_SERVICE_UNSUPPORTED systemd does not run.*container/)
  assert.match(said('user', {})!, 'E_SERVICE_UNSUPPORTED')
  assert.is(said('system', {}, booted), undefined)
  assert.match(said('user', {}, booted)!, /E_SERVICE_NO_SESSION.*no session.*enable-linger.*--system/)
  assert.match(
    said('user', {}, booted, '/run/user/7/bus')!,
    /E_SERVICE_NO_SESSION.*XDG_RUNTIME_DIR=\/run\/user\/7.*--system/,
  )
  assert.match(said('user', { XDG_RUNTIME_DIR: '/elsewhere' }, booted)!, 'enable-linger')
  assert.is(said('user', { XDG_RUNTIME_DIR: '/there' }, booted, '/there/systemd/private'), undefined)
  assert.is(said('user', { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/x' }, booted), undefined)
})

test('systemd: arguments come to the program as they are', () => {
  const unit = systemdUnit({ scope: 'user', command: ['/usr/bin/program', 'run', awkward] })
  const [line] = unit.split('\n').filter(line => line.startsWith('ExecStart='))
  assert.is(line, `ExecStart=/usr/bin/program run "/opt/a & b <c> \\"d\\" 'e' %%n $$HOME \\\\f"`)
  // A line's end would begin another setting.
  const hostile = systemdUnit({ scope: 'user', command: ['/a', '/b\nExecStartPre=/c'] })
  assert.match(hostile, String.raw`ExecStart=/a "/b\u000aExecStartPre=/c"`)
  assert.match(systemdUnit({ scope: 'system', command: ['/a'], runAs: 'proxy' }), /^User=proxy$/m)
  assert.not.match(systemdUnit({ scope: 'system', command: ['/a'], runAs: 'proxy' }), /DynamicUser/)
  assert.match(systemdUnit({ scope: 'system', command: ['/a'] }), /^DynamicUser=yes$/m)
})

if (need(['libxml2-utils'], ['xmllint']) && need(['python3'], ['python3'])) {
  test('launchd: a property list, of keys and types that launchd.plist(5) has', () => {
    const text = launchdPlist({
      scope: 'system',
      command: ['/usr/local/bin/lambda-nat-proxy', 'run', awkward],
      runAs: 'proxy',
      log: '/var/log/a',
    })
    const path = write('service.plist', text)
    const { code, said } = xmllint('--dtdvalid', join(import.meta.dir, 'plist.dtd'), path)
    assert.is(code, 0, said)
    const read = spawnSync(
      'python3',
      ['-c', 'import json, plistlib, sys; print(json.dumps(plistlib.load(open(sys.argv[1], "rb"))))', path],
      { encoding: 'utf8' },
    )
    assert.is(read.status, 0, read.stderr)
    const job = JSON.parse(read.stdout)
    const types: Record<string, string> = {
      Label: 'string',
      UserName: 'string',
      ProgramArguments: 'object',
      EnvironmentVariables: 'object',
      RunAtLoad: 'boolean',
      KeepAlive: 'object',
      ThrottleInterval: 'number',
      ExitTimeOut: 'number',
      ProcessType: 'string',
      Umask: 'number',
      SoftResourceLimits: 'object',
      StandardOutPath: 'string',
      StandardErrorPath: 'string',
    }
    for (const [key, value] of Object.entries(job)) assert.is(typeof value, types[key], key)
    assert.is(job.Label, launchdLabel)
    assert.equal(job.ProgramArguments, ['/usr/local/bin/lambda-nat-proxy', 'run', awkward])
  })

  test("Windows: a task of the Task Scheduler's schema, whose command line keeps its parts apart", () => {
    const text = taskXml({
      scope: 'user',
      command: ['C:\\Program Files\\A & B\\lambda-nat-proxy.exe', 'run', '--config', 'C:\\Users\\é\\a.yaml'],
      log: 'C:\\Users\\é\\service.log',
      user: 'HOME\\é',
    })
    const path = write('task.xml', Buffer.concat([Buffer.of(0xff, 0xfe), Buffer.from(text, 'utf16le')]))
    const schema = join(import.meta.dir, 'task.xsd')
    const { code, said } = xmllint('--schema', schema, path)
    assert.is(code, 0, said)
    assert.match(
      text,
      '/d /s /c &quot;&quot;C:\\Program Files\\A &amp; B\\lambda-nat-proxy.exe&quot; &quot;run&quot; &quot;--config&quot; &quot;C:\\Users\\é\\a.yaml&quot; &gt;&gt; &quot;C:\\Users\\é\\service.log&quot; 2&gt;&amp;1&quot;',
    )
    // The check finds what is wrong.
    for (const [from, to] of [
      ['PT1M', 'PT1S'],
      ['IgnoreNew', 'Ignore'],
      ['<Enabled>true</Enabled>', '<Enabled>maybe</Enabled>'],
      ['Context="Author"', 'Context="Nobody"'],
    ] as const) {
      const bad = write('bad.xml', text.replace('UTF-16', 'UTF-8').replace(from, to))
      assert.is.not(xmllint('--schema', schema, bad).code, 0, to)
    }
  })
}

test.run()
