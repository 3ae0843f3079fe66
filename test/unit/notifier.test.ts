import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createEvents } from '../../cli/client/stats/events.ts'
import { createModel } from '../../cli/client/stats/model.ts'
import { startNotifier } from '../../cli/service/notifier.ts'
import { sdNotify } from '../../cli/service/sd-notify.ts'
import { until } from '../support/until.ts'

const test = suite('What systemd is told')

function world(env: Record<string, string> = {}) {
  const events = createEvents()
  const model = createModel(events)
  const told: string[] = []
  const notifier = startNotifier({ events, model, env, notify: (...lines) => told.push(...lines) })
  return { events, told, notifier }
}

test('that it serves, reads its settings again, and ends', () => {
  const { told, notifier } = world()
  notifier.ready()
  notifier.reloading()
  notifier.stopping()
  notifier.close()
  assert.equal(
    told.map(line => line.replace(/\d{4,}$/, 'now')),
    ['READY=1', 'RELOADING=1', 'MONOTONIC_USEC=now', 'STOPPING=1', 'STATUS=Ending'],
  )
})

test('which exits there are, when that changes, and that a reload has failed', () => {
  const { events, told, notifier } = world()
  events.emit({ type: 'exit.launching', session: 'a', region: 'eu-west-1' })
  const ready = {
    ...{ type: 'exit.ready' as const, session: 'a', region: 'eu-west-1', address: '192.0.2.1' },
    ...{ remainingMs: 1, replaceMs: 1, setUpMs: 1, memoryMb: 1, engines: { client: 'a' } },
  }
  events.emit(ready)
  events.emit({ type: 'exit.silent', session: 'a', silent: false })
  events.emit({ type: 'config.rejected', code: 'E_RELOAD_FAILED', message: 'no' })
  events.emit({
    type: 'config.reloaded',
    applied: [],
    needRestart: [],
    logins: { added: [], removed: [], changed: [] },
  })
  notifier.close()
  events.emit({ type: 'exit.closed', session: 'a', code: 'E', message: 'over' })
  assert.equal(told, [
    'STATUS=No exit is up',
    'STATUS=1 exit: 192.0.2.1',
    'STATUS=The last reload failed, and has changed nothing',
    'STATUS=1 exit: 192.0.2.1',
  ])
})

test('that it is alive, twice as often as it must be, if it is this process that is asked', async () => {
  const { told, notifier } = world({ WATCHDOG_USEC: '20000', WATCHDOG_PID: String(process.pid) })
  await until(() => told.length >= 3, 'three signs of life')
  notifier.close()
  assert.equal([...new Set(told)], ['WATCHDOG=1'])
  const other = world({ WATCHDOG_USEC: '1', WATCHDOG_PID: String(process.pid + 1) })
  await until(async () => true, 'a turn')
  other.notifier.close()
  assert.equal(other.told, [])
})

test('nothing where nobody asks, or by a name that is none', () => {
  for (const path of [undefined, '', 'relative', `/${'x'.repeat(200)}`]) assert.is(sdNotify(path), undefined)
  // Nobody listens there: nothing happens.
  sdNotify('/nonexistent/socket')?.('READY=1')
})

test.run()
