import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Check, examine, type Finding, failure, type Result } from '../../cli/doctor/check.ts'
import { clockOffset } from '../../cli/doctor/clock-check.ts'
import { formatResult, verdict } from '../../cli/doctor/report.ts'
import { type NatKind, natKind } from '../../tunnel/nat/nat-kind.ts'
import type { Behaviour } from '../../tunnel/nat/stun/mapping.ts'
import { CodedError } from '../../tunnel/net/coded-error.ts'

const test = suite('doctor')

const check = (name: string, after: string[], run: () => Promise<Finding>, limitMs = 10_000) =>
  ({ name, after, limitMs, run }) satisfies Check<undefined>

const finds =
  (status: Finding['status'], message = '') =>
  async () => ({ status, message })

async function results(checks: Check<undefined>[]): Promise<Result[]> {
  const all: Result[] = []
  for await (const result of examine(checks, undefined)) all.push(result)
  return all
}

test('checks that do not wait for each other run at once, and their results come in order', async () => {
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  // Each ends when the other has begun.
  const all = await results([
    check('slow', [], () => {
      first.resolve()
      return second.promise.then(finds('ok'))
    }),
    check('quick', [], () => {
      second.resolve()
      return first.promise.then(finds('ok'))
    }),
  ])
  assert.equal(
    all.map(({ name, status }) => [name, status]),
    [
      ['slow', 'ok'],
      ['quick', 'ok'],
    ],
  )
})

test('what comes after a failure is left out and says why, down the line', async () => {
  let ran = false
  const all = await results([
    check('account', [], finds('fail')),
    check('bucket', ['account'], async () => {
      ran = true
      return { status: 'ok', message: '' }
    }),
    check('punch', ['bucket'], finds('ok')),
  ])
  assert.not.ok(ran)
  assert.equal(
    all.map(({ status, message }) => [status, message]),
    [
      ['fail', ''],
      ['skip', 'needs account'],
      ['skip', 'needs bucket'],
    ],
  )
})

test('what comes after a warning, or after a check that does not apply, runs', async () => {
  const all = await results([
    check('clock', [], finds('warn')),
    check('account', [], finds('skip')),
    check('punch', ['clock', 'account'], finds('ok')),
  ])
  assert.is(all[2]!.status, 'ok')
})

test('a check that does not end has failed at its limit', async () => {
  const [result] = await results([check('hanging', [], () => new Promise(() => {}), 20)])
  assert.is(result!.status, 'fail')
  assert.match(result!.message, 'not done within 0.02 s')
  assert.is(result!.code, 'E_CHECK_TIMEOUT')
})

test('what a check throws is its finding, with code, message and hint', () => {
  const error = new CodedError('E_TEA', 'the tea is cold', { hint: 'Make new tea.' })
  assert.equal(failure(error), {
    status: 'fail',
    code: 'E_TEA',
    message: 'the tea is cold',
    hint: 'Make new tea.',
  })
  const system = Object.assign(new Error("ENOENT: no such file or directory, open '/cup'"), {
    code: 'ENOENT',
    path: '/cup',
  })
  const { code, message } = failure(system)
  assert.equal([code, message], ['ENOENT', '/cup: there is no such file or folder'])
  assert.equal(failure(new Error('it broke')), { status: 'fail', code: 'E_UNEXPECTED', message: 'it broke' })
})

test('a NAT is named by how it maps and filters', () => {
  const kind = (mapping: Behaviour, filtering: Behaviour, isOwn = false) =>
    natKind({ isOwn, mapping, filtering })
  const [all, address, port] = [
    'endpoint-independent',
    'address-dependent',
    'address-and-port-dependent',
  ] as const
  const cases: [NatKind, NatKind][] = [
    [kind(all, all), 'full-cone'],
    [kind(all, address), 'address-restricted'],
    [kind(all, port), 'port-restricted'],
    [kind(all, 'unknown'), 'cone'],
    [kind(address, address), 'symmetric'],
    [kind(port, port), 'symmetric'],
    [kind(port, 'unknown'), 'symmetric'],
    [kind('unknown', 'unknown'), 'unknown'],
    [kind(all, all, true), 'none'],
    [kind('unknown', 'unknown', true), 'none'],
    [kind(all, port, true), 'firewall'],
  ]
  for (const [found, expected] of cases) assert.is(found, expected)
})

test('the clock is held against the Date of a web server', async () => {
  let date: string | undefined
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: () => new Response(null, { status: 403, headers: date === undefined ? {} : { date } }),
  })
  const off = async (ms: number) => {
    date = new Date(Date.now() + ms).toUTCString()
    return (await clockOffset(`http://127.0.0.1:${server.port}/`))!
  }
  try {
    assert.ok(Math.abs(await off(0)) < 5_000)
    assert.ok(Math.abs((await off(-600_000)) - 600_000) < 5_000)
    assert.ok(Math.abs((await off(600_000)) + 600_000) < 5_000)
    date = 'yesterday'
    assert.is(await clockOffset(`http://127.0.0.1:${server.port}/`), undefined)
  } finally {
    await server.stop(true)
  }
  assert.is(await clockOffset('http://127.0.0.1:1/'), undefined)
})

test('a result fits the page, with what to do below it', () => {
  const words = 'word '.repeat(60).trim()
  const text = formatResult({ name: 'udp', status: 'fail', message: words, hint: 'Do this', ms: 1 }, 10)
  const lines = text.split('\n')
  assert.ok(lines.length > 2)
  for (const line of lines) assert.ok(line.length <= 110, line)
  const narrow = formatResult({ name: 'udp', status: 'fail', message: words, ms: 1 }, 10, 60)
  for (const line of narrow.split('\n')) assert.ok(line.length <= 60, line)
  assert.match(lines[0]!, /^fail +udp +word/)
  assert.match(lines.at(-1)!, /^ +→ Do this$/)
})

test('the last line says what it comes to', () => {
  const result = (name: string, status: Finding['status']) => ({ name, status, message: '', ms: 0 })
  const [ok, warn, fail] = [result('punch', 'ok'), result('clock', 'warn'), result('udp', 'fail')]
  assert.is(verdict([ok]), 'This works here.')
  assert.is(verdict([ok, warn]), 'This works here, with 1 warning.')
  assert.is(
    verdict([warn, result('punch', 'skip')]),
    'No problem found, but no exit was launched to try it, with 1 warning.',
  )
  assert.match(verdict([ok, fail]), 'does not work here yet: see udp')
})

test.run()
