import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Lease } from '../../cli/client/accounts/account.ts'
import { Accounts } from '../../cli/client/accounts/accounts.ts'
import type { Limits } from '../../cli/client/accounts/limits.ts'
import { makeLogin } from '../../cli/client/accounts/login.ts'
import { Ledger, LedgerError } from '../../cli/client/ledger/ledger.ts'
import { dayOf } from '../../cli/client/ledger/period.ts'
import { connector } from '../../cli/client/outbound/connect.ts'
import { metered } from '../../cli/client/outbound/metered.ts'
import type { OutboundError } from '../../cli/client/outbound/outbound.ts'
import { createEvents, type ProxyEvent } from '../../cli/client/stats/events.ts'
import { FakeConn } from '../support/fake-conn.ts'

const test = suite<{ folder: string; path: string }>('accounts')

test.before.each(async context => {
  context.folder = await mkdtemp(join(tmpdir(), 'lambda-nat-proxy-test-'))
  context.path = join(context.folder, 'state/usage.db')
})
test.after.each(({ folder }) => rm(folder, { recursive: true }))

const alice = (limits: Limits) => makeLogin('test', 'alice', 'a', limits)

function run(path: string, clock = { now: Date.UTC(2026, 0, 31, 23, 59) }) {
  const ledger = new Ledger(path)
  const events = createEvents()
  const told: ProxyEvent[] = []
  events.subscribe(event => told.push(event))
  const accounts = new Accounts({ events, ledger, now: () => clock.now, writeMs: 3_600_000 })
  const open = (limits: Limits, cut = () => {}): Lease => {
    const lease = accounts.of(alice(limits)).open(cut)
    if ('code' in lease) throw new Error(lease.code)
    return lease
  }
  const close = () => {
    accounts.close()
    ledger.close()
  }
  return { accounts, ledger, told, open, close, clock }
}

test('a quota ends what is open at its last byte, and refuses what comes', ({ path }) => {
  const { open, told, close } = run(path)
  const quota = { bytes: 1_000, period: 'month' } as const
  let cuts = 0
  const a = open({ quota }, () => cuts++)
  const b = open({ quota }, () => cuts++)
  assert.ok(a.packet('up', 400))
  assert.ok(b.packet('down', 599))
  assert.is(cuts, 0)
  assert.ok(a.packet('up', 1))
  assert.is(cuts, 2)
  assert.ok(a.wasCut && b.wasCut)
  assert.not(a.packet('up', 1))
  assert.throws(() => open({ quota }), 'E_QUOTA_USED_UP')
  assert.is(told.filter(({ type }) => type === 'quota.reached').length, 1)
  // More of it holds at once.
  open({ quota: { bytes: 2_000, period: 'month' } }).end()
  close()
})

test('what was used is known to the next run, and to others at the same time', ({ path }) => {
  const quota = { bytes: 1_000, period: 'month' } as const
  const first = run(path)
  const second = run(path)
  first.open({ quota }).packet('down', 600)
  first.accounts.write()
  const other = second.open({ quota })
  other.packet('up', 399)
  second.accounts.write()
  first.open({ quota }).packet('up', 1)
  first.close()
  assert.not(other.wasCut)
  second.accounts.write()
  assert.ok(other.wasCut)
  second.close()
  const third = run(path)
  assert.throws(() => third.open({ quota }), 'E_QUOTA_USED_UP')
  assert.equal(third.ledger.traffic('alice', '2026-01'), { up: 400, down: 600 })
  third.close()
})

test('a day and a month begin anew at midnight of UTC', ({ path }) => {
  for (const period of ['day', 'month'] as const) {
    const { open, accounts, clock, close } = run(path, { now: Date.UTC(2026, 0, 31, 23, 59) })
    const quota = { bytes: 100, period }
    if (period === 'day') open({ quota }).packet('up', 100)
    accounts.write()
    assert.throws(() => open({ quota }), 'E_QUOTA_USED_UP')
    clock.now += 120_000
    accounts.write()
    open({ quota })
    close()
  }
})

test('a login has as many connections as it may, and a place that is given back is free', ({ path }) => {
  const { open, close } = run(path)
  const leases = Array.from({ length: 3 }, () => open({ connections: 3 }))
  assert.throws(() => open({ connections: 3 }), 'E_USER_CONNECTIONS')
  leases[1]!.end()
  leases[1]!.end()
  open({ connections: 3 })
  assert.throws(() => open({ connections: 3 }), 'E_USER_CONNECTIONS')
  close()
})

test('one that is kept for later gives way to one that is asked for now', ({ path }) => {
  const { open, close } = run(path)
  const [kept, busy] = [open({ connections: 2 }), open({ connections: 2 })]
  let given = 0
  const giveUp = () => void given++
  kept.rest(giveUp)
  busy.rest(giveUp)
  busy.rest(undefined)
  const next = open({ connections: 2 })
  assert.is(given, 1)
  assert.throws(() => open({ connections: 2 }), 'E_USER_CONNECTIONS')
  next.rest(giveUp)
  open({ connections: 2 }).rest(undefined)
  assert.is(given, 2)
  close()
})

test('limits that are read again hold at once, for what is open as well', ({ path }) => {
  const { accounts, open, close } = run(path)
  const lease = open({})
  lease.packet('up', 500)
  accounts.update([alice({ quota: { bytes: 600, period: 'day' } }), makeLogin('test', 'never-seen', 'x')])
  assert.not(lease.wasCut)
  lease.packet('up', 100)
  assert.ok(lease.wasCut)
  accounts.update([alice({ quota: { bytes: 700, period: 'day' } })])
  open({ quota: { bytes: 700, period: 'day' } })
  close()
})

test('whatever fails in the ledger is a LedgerError', ({ path }) => {
  const ledger = new Ledger(path)
  ledger.close()
  for (const use of [
    () => ledger.addSpend('2026-01-31', 1),
    () => ledger.spend('2026'),
    () => ledger.addTraffic('2026-01-31', new Map([['alice', { up: 1, down: 1 }]])),
    () => ledger.traffic('alice', '2026'),
  ])
    assert.throws(use, (error: unknown) => error instanceof LedgerError)
})

test('the ledger is private, and days that are long gone leave it', async ({ path }) => {
  const ledger = new Ledger(path)
  ledger.addSpend('2026-01-01', 1.5)
  ledger.addSpend('2026-01-01', 0.25)
  ledger.addSpend('2026-02-01', 4)
  assert.is(ledger.spend('2026-01'), 1.75)
  for (const suffix of ['', '-wal']) assert.is((await stat(path + suffix)).mode & 0o777, 0o600, suffix)
  // One that comes from a clock that was wrong takes no other day's place.
  ledger.addSpend('2099-01-01', 1)
  ledger.addTraffic('2099-01-01', new Map([['alice', { up: 1, down: 1 }]]))
  ledger.close()
  const later = new Ledger(path)
  assert.equal([later.spend('2026-01'), later.spend('2026-02')], [1.75, 4])
  for (let day = 0; day < 398; day++) later.addSpend(dayOf(Date.UTC(2026, 1, 2 + day)), 1)
  later.close()
  const last = new Ledger(path)
  assert.equal([last.spend('2026-01-01'), last.spend('2026-02-01')], [0, 4])
  last.close()
})

test('processes that begin and add at once lose nothing, also when they are killed', async ({
  path,
  folder,
}) => {
  const program = join(folder, 'add.ts')
  const ledger = join(import.meta.dir, '../../cli/client/ledger/ledger.ts')
  await writeFile(
    program,
    `import { Ledger } from '${ledger}'
     const ledger = new Ledger(process.argv[2])
     for (let i = 1; ; i++) {
       try { ledger.addSpend('2026-01-01', 1) } catch { i--; continue }
       process.stdout.write(i + '\\n')
       if (i === 300) setTimeout(() => {}, 3_600_000)
       if (i === 300) break
     }`,
  )
  const added = await Promise.all(
    [1, 2, 3, 4].map(async () => {
      const child = Bun.spawn([process.execPath, program, path], { stdout: 'pipe' })
      let last = 0
      let text = ''
      for await (const chunk of child.stdout) {
        text += new TextDecoder().decode(chunk)
        last = Number(text.trim().split('\n').at(-1))
        if (last >= 300) child.kill('SIGKILL')
      }
      await child.exited
      return last
    }),
  )
  const after = new Ledger(path)
  assert.is(
    after.spend('2026'),
    added.reduce((sum, each) => sum + each, 0),
  )
  assert.is(after.spend('2026'), 1_200)
  after.close()
})

test('a connection that is on its way when the quota is used up by another is not made', async () => {
  const accounts = new Accounts({ events: createEvents(), ledger: new Ledger() })
  const login = alice({ quota: { bytes: 100, period: 'month' } })
  const reached = Promise.withResolvers<void>()
  const conn = new FakeConn()
  const outbound = metered(async () => {
    await reached.promise
    return { session: undefined, bound: { host: '192.0.2.1', port: 1 }, conn }
  }, accounts)
  const coming = outbound({ host: '192.0.2.2', port: 80 }, { login, signal: new AbortController().signal })
  const other = accounts.of(login).open(() => {})
  assert.ok('packet' in other && other.packet('down', 100))
  reached.resolve()
  await coming.then(
    () => assert.unreachable('it was made'),
    (error: unknown) => assert.is((error as OutboundError).code, 'E_QUOTA_USED_UP'),
  )
  assert.equal(conn.said, ['abort'])
  accounts.close()
})

test('a connection whose requester has gone meanwhile is ended', async () => {
  const conn = new FakeConn()
  const gone = new AbortController()
  const outbound = async () => {
    gone.abort()
    return { session: undefined, bound: { host: '192.0.2.1', port: 1 }, conn }
  }
  const connect = connector({
    outbounds: { tunnel: outbound, direct: outbound, block: outbound },
    rules: () => [],
    events: createEvents(),
  })
  const made = connect({ host: '192.0.2.2', port: 80 }, { signal: gone.signal })
  await made.then(
    () => assert.unreachable('it was made'),
    (error: unknown) => assert.is(error, gone.signal.reason),
  )
  assert.equal(conn.said, ['abort'])
})

test('a ledger that cannot be had is told at the start, and one that fails later once', async ({
  path,
  folder,
}) => {
  await writeFile(join(folder, 'file'), '')
  assert.throws(
    () => new Ledger(join(folder, 'file/usage.db')),
    (error: unknown) => error instanceof LedgerError && error.code === 'E_LEDGER',
  )
  await writeFile(join(folder, 'damaged'), 'not a database, but long enough to be taken for one '.repeat(100))
  assert.throws(
    () => new Ledger(join(folder, 'damaged')),
    (error: unknown) => error instanceof LedgerError,
  )

  const { accounts, open, told, ledger } = run(path)
  const quota = { bytes: 100, period: 'month' } as const
  const lease = open({ quota })
  lease.packet('up', 60)
  ledger.close()
  accounts.write()
  accounts.write()
  assert.is(told.filter(({ type }) => type === 'ledger.failed').length, 1)
  // The quota holds all the same.
  lease.packet('up', 40)
  assert.ok(lease.wasCut)
})

test.run()
