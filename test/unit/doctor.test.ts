import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Check, examine, type Finding, failure, type Result } from '../../cli/doctor/check.ts'
import { clockOffset } from '../../cli/doctor/clock-check.ts'
import { formatResult, verdict } from '../../cli/doctor/report.ts'
import { type NatKind, natKind } from '../../tunnel/nat/nat-kind.ts'
import type { Behaviour } from '../../tunnel/nat/stun/mapping.ts'

const test = suite('doctor')

const check = (name: string, after: string[], run: () => Promise<Finding>, limitMs = 10_000) =>
  ({ name, after, limitMs, run }) satisfies Check<undefined>

const finds =
  (status: Finding['status'], detail = '') =>
  async () => ({ status, detail })

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
      return { status: 'ok', detail: '' }
    }),
    check('punch', ['bucket'], finds('ok')),
  ])
  assert.not.ok(ran)
  assert.equal(
    all.map(({ status, detail }) => [status, detail]),
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
  assert.match(result!.detail, 'not done within 0.02 s')
  assert.ok(result!.next)
})

test('what a check throws is taken apart into the cause and what to do', () => {
  const cases = [
    [
      'could not sign in to AWS: no AWS credentials were found. Set AWS_PROFILE, or run "aws configure".',
      'could not sign in to AWS: no AWS credentials were found',
      'Set AWS_PROFILE, or run "aws configure"',
    ],
    [
      'nothing is deployed under the name x: run "lambda-nat-proxy deploy", or name another',
      'nothing is deployed under the name x',
      'Run "lambda-nat-proxy deploy", or name another',
    ],
    ['no AWS region is known: give one with --regions', 'no AWS region is known', 'Give one with --regions'],
    [
      'no path to 192.0.2.1:4500 within 10 s: sent 4 checks. UDP is blocked. Try again.',
      'no path to 192.0.2.1:4500 within 10 s: sent 4 checks',
      'UDP is blocked. Try again',
    ],
  ] as const
  for (const [message, detail, next] of cases)
    assert.equal(failure(new Error(message)), { status: 'fail', detail, next })
  const { detail, next } = failure(new Error('it broke'))
  assert.is(detail, 'it broke')
  assert.ok(next)
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
  const text = formatResult({ name: 'udp', status: 'fail', detail: words, next: 'Do this', ms: 1 }, 10)
  const lines = text.split('\n')
  assert.ok(lines.length > 2)
  for (const line of lines) assert.ok(line.length <= 110, line)
  assert.match(lines[0]!, /^fail +udp +word/)
  assert.match(lines.at(-1)!, /^ +→ Do this$/)
})

test('the last line says what it comes to', () => {
  const result = (name: string, status: Finding['status']) => ({ name, status, detail: '', ms: 0 })
  const [ok, warn, fail] = [result('punch', 'ok'), result('clock', 'warn'), result('udp', 'fail')]
  assert.is(verdict([ok]), 'This works here.')
  assert.is(verdict([ok, warn]), 'This works here, with 1 warning.')
  assert.is(
    verdict([warn, result('punch', 'skip')]),
    'Nothing is in the way that could be seen, with 1 warning.',
  )
  assert.match(verdict([ok, fail]), 'does not work here yet: see udp')
})

test.run()
