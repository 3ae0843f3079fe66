import { mkdtemp, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type AuditAction, startAudit } from '../../cli/client/audit/audit.ts'
import { LogFile } from '../../cli/client/audit/log-file.ts'
import { OutboundError } from '../../cli/client/outbound/outbound.ts'
import { createEvents, type ProxyEvent } from '../../cli/client/stats/events.ts'
import { until } from '../support/until.ts'

const test = suite<{ folder: string }>('the audit file')

test.before.each(async context => {
  context.folder = await mkdtemp(join(tmpdir(), 'lambda-nat-proxy-test-'))
})
test.after.each(({ folder }) => rm(folder, { recursive: true }))

const lines = async (path: string) => (await readFile(path, 'utf8')).split('\n').filter(line => line !== '')

test('lines stay whole and in order, files are bounded in size and number, and only the owner reads them', async ({
  folder,
}) => {
  const path = join(folder, 'audit')
  await writeFile(path, 'before\n', { mode: 0o644 })
  const file = await LogFile.open({ path, maxBytes: 1_000, keep: 3 })
  for (let i = 0; i < 400; i++) {
    file.append(`line ${i} ${'x'.repeat(i % 50)}`)
    // Some come alone, some together.
    if (i % 7 === 0) await new Promise(setImmediate)
  }
  await file.close()
  const names = (await readdir(folder)).sort()
  assert.equal(names, ['audit', 'audit.1', 'audit.2', 'audit.3'])
  const all: number[] = []
  for (const name of names.reverse()) {
    const { size, mode } = await stat(join(folder, name))
    assert.ok(size <= 1_000, `${name}: ${size}`)
    assert.is(mode & 0o777, 0o600, name)
    for (const line of await lines(join(folder, name))) {
      const [, number, filler] = /^line (\d+) (x*)$/.exec(line) ?? []
      assert.is(filler?.length, Number(number) % 50)
      all.push(Number(number))
    }
  }
  assert.ok(all.length > 50, `${all.length} lines were kept`)
  assert.equal(
    all,
    Array.from({ length: all.length }, (_, i) => 400 - all.length + i),
  )
})

test('half a line that a killed process left takes no other with it', async ({ folder }) => {
  const path = join(folder, 'audit')
  await writeFile(path, '{"whole":1}\n{"ha')
  for (const line of ['one', 'two']) {
    const file = await LogFile.open({ path, maxBytes: 1e6, keep: 1 })
    file.append(line)
    await file.close()
  }
  assert.is(await readFile(path, 'utf8'), '{"whole":1}\n{"ha\none\ntwo\n')
})

test('what a failed rotation has moved already is not moved again', async ({ folder }) => {
  const path = join(folder, 'audit')
  await writeFile(path, 'now\n')
  await writeFile(`${path}.2`, 'moved\n')
  await writeFile(`${path}.3`, 'oldest\n')
  const file = await LogFile.open({ path, maxBytes: 6, keep: 3 })
  file.append('next')
  await file.close()
  const found = await Promise.all(['', '.1', '.2', '.3'].map(suffix => readFile(path + suffix, 'utf8')))
  assert.equal(found, ['next\n', 'now\n', 'moved\n', 'oldest\n'])
})

test('a file that another program sets aside is left alone, and a new one begun', async ({ folder }) => {
  const path = join(folder, 'audit')
  const file = await LogFile.open({ path, maxBytes: 1e6, keep: 1 })
  file.append('one')
  await until(async () => (await lines(path)).length === 1, 'the first line')
  await rename(path, join(folder, 'aside'))
  file.append('two')
  await file.close()
  assert.equal(await lines(join(folder, 'aside')), ['one'])
  assert.equal(await lines(path), ['two'])
})

/** An audit of one connection after another, into this file. */
async function auditing(path: string, onFailure: AuditAction = 'warn') {
  const events = createEvents()
  const told: ProxyEvent[] = []
  events.subscribe(event => told.push(event))
  const audit = await startAudit({ events, path, maxBytes: 1e6, keep: 1, onFailure, retryMs: 5 })
  let connections = 0
  return {
    events,
    audit,
    told: (type: ProxyEvent['type']) => told.filter(event => event.type === type),
    connect() {
      const connection = ++connections
      const about = { connection, session: undefined, user: 'alice' }
      events.emit({
        type: 'connection.opened',
        ...about,
        outbound: 'direct',
        target: `a.example:${connection}`,
        ms: 1,
      })
      events.emit({ type: 'connection.closed', ...about, bytesUp: 1, bytesDown: 2, ms: 3, end: 'complete' })
    },
  }
}

for (const onFailure of ['warn', 'refuse'] as const)
  test(`a full disk is told once, nothing is lost, and "${onFailure}" decides about new connections`, async ({
    folder,
  }) => {
    const path = join(folder, 'audit')
    await symlink('/dev/full', path)
    const { audit, told, connect } = await auditing(path, onFailure)
    audit.gate()
    for (let i = 0; i < 5; i++) {
      connect()
      await until(() => told('audit.failed').length > 0, 'the failure to be told')
    }
    assert.is(told('audit.failed').length, 1)
    assert.match(JSON.stringify(told('audit.failed')), 'the disk is full')
    if (onFailure === 'warn') audit.gate()
    else
      assert.throws(
        audit.gate,
        (error: unknown) => error instanceof OutboundError && error.kind === 'unavailable',
      )
    // Room is made.
    const real = join(folder, 'real')
    await symlink(real, join(folder, 'next'))
    await rename(join(folder, 'next'), path)
    await until(() => told('audit.recovered').length > 0, 'the recovery to be told')
    audit.gate()
    await audit.close()
    const targets = (await lines(real)).map(line => JSON.parse(line).target)
    assert.equal(
      targets,
      [1, 2, 3, 4, 5].map(i => `a.example:${i}`),
    )
  })

test('a file that cannot be had is told at the start', async ({ folder }) => {
  for (const path of [folder, join(folder, 'none/audit')])
    try {
      await auditing(path)
      assert.unreachable()
    } catch (error) {
      assert.is((error as { code?: string }).code, 'E_AUDIT_UNWRITABLE')
      assert.match((error as Error).message, path)
    }
})

test('an entry has the exit, and text from others does not act', async ({ folder }) => {
  const path = join(folder, 'audit')
  const { audit, events } = await auditing(path)
  const session = 's1'
  events.emit({
    type: 'exit.ready',
    session,
    region: 'eu-west-1',
    address: '203.0.113.9',
    remainingMs: 1,
    replaceMs: 1,
    setUpMs: 1,
    memoryMb: 256,
    engines: { client: 'a' },
  })
  const counts = { up: 0, down: 0 }
  events.emit({
    type: 'connection.opened',
    connection: 1,
    outbound: 'tunnel',
    session,
    user: 'bob',
    target: 'b:1',
    ms: 1,
    counts,
  })
  events.emit({ type: 'exit.closed', session, code: 'x', message: 'x' })
  Object.assign(counts, { up: 7, down: 8 })
  const refused = { code: 'E_TARGET_INVALID', message: 'no' }
  events.emit({
    type: 'connection.refused',
    connection: 2,
    outbound: undefined,
    target: 'x\u009b2J:1',
    reply: 1,
    ...refused,
  })
  await audit.close()
  const [second, first] = (await lines(path)).map(line => JSON.parse(line))
  assert.equal(
    [first.user, first.address, first.region, first.ended, first.bytesUp, first.bytesDown],
    ['bob', '203.0.113.9', 'eu-west-1', 'proxy-closed', 7, 8],
  )
  assert.equal(
    [second.user, second.target, second.ended, second.code],
    [null, 'x\ufffd2J:1', 'refused', refused.code],
  )
  assert.ok(Date.parse(first.start) <= Date.parse(first.end))
})

test.run()
