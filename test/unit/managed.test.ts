import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isManaged } from '../../cli/service/managed.ts'

const test = suite('Who runs this process')

const script = `
import { isManaged } from ${JSON.stringify(new URL('../../cli/service/managed.ts', import.meta.url).pathname)}
process.exit(isManaged() ? 0 : 3)
`

/** What a process says of itself, with a terminal or in a session that has none. */
async function ask(terminal: boolean, env: Record<string, string>): Promise<boolean> {
  const command = [process.execPath, '-e', script]
  const child = terminal
    ? Bun.spawn(command, { env, terminal: { cols: 80, rows: 24, data() {} } })
    : Bun.spawn(['setsid', '--wait', ...command], {
        env: { PATH: '/usr/bin:/bin', ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
  const code = await child.exited
  assert.ok(code === 0 || code === 3, `it ended with ${code}`)
  return code === 0
}

test('a service manager that says so', () => {
  assert.is(isManaged({ env: { NOTIFY_SOCKET: '/run/systemd/notify' } }), true)
  assert.is(isManaged({ env: { LAMBDA_NAT_PROXY_SERVICE: 'launchd' } }), true)
  assert.is(isManaged({ env: {} }), false)
})

test("systemd's mark counts without a terminal: a desktop's shells inherit it", async () => {
  const env = { INVOCATION_ID: '0123456789abcdef0123456789abcdef' }
  assert.is(await ask(false, env), true)
  assert.is(await ask(true, env), false)
  assert.is(await ask(false, {}), false)
})

test.run()
