import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readLimits } from '../../cli/client/accounts/limits.ts'
import { parseLoginFile } from '../../cli/client/accounts/login-file.ts'
import { TokenBucket } from '../../cli/client/accounts/token-bucket.ts'
import { UsageError } from '../../cli/input/usage-error.ts'
import { until } from '../support/until.ts'

const test = suite('limits of a login')

test('limits are read as people write them', () => {
  for (const [given, limits] of [
    [{ quota: '5GB/month' }, { quota: { bytes: 5e9, period: 'month' } }],
    [{ quota: '1.5 MB / day' }, { quota: { bytes: 1.5e6, period: 'day' } }],
    [{ rate: '20Mbit' }, { rate: { down: 2.5e6, up: 2.5e6 } }],
    [{ rate: '1Gbit/800kbit' }, { rate: { down: 1.25e8, up: 1e5 } }],
    [{ connections: 100 }, { connections: 100 }],
    [{ connections: '7' }, { connections: 7 }],
    [{ exits: ['eu-central-1', 'us-east-1'] }, { exits: ['eu-central-1', 'us-east-1'] }],
    [{ exits: 'eu-central-1, local-1' }, { exits: ['eu-central-1', 'local-1'] }],
    [{}, {}],
  ] as const)
    assert.equal(readLimits('test', given), limits)
})

test('what is no limit is refused, with what is allowed', () => {
  for (const [name, value] of [
    ['quota', '5GB'],
    ['quota', '5GB/week'],
    ['quota', '5/month'],
    ['quota', '0GB/month'],
    ['rate', '20'],
    ['rate', '20MB'],
    ['rate', '1kbit'],
    ['rate', '20Mbit/5Mbit/1Mbit'],
    ['rate', '20Mbit/'],
    ['connections', 0],
    ['connections', 1.5],
    ['connections', 'many'],
    ['connections', '0x10'],
    ['connections', '1e3'],
    ['exits', []],
    ['exits', 'Frankfurt'],
    ['exits', [null]],
  ] as const)
    assert.throws(
      () => readLimits('logins.yaml, line 3', { [name]: value }),
      (error: unknown) =>
        error instanceof UsageError && error.message.startsWith(`logins.yaml, line 3: ${name} must`),
      `${name}: ${value}`,
    )
})

test('a file gives them to each login', () => {
  const [alice, bob] = parseLoginFile(
    'x.yaml',
    'alice:\n  password: a\n  quota: 1GB/day\n  connections: 3\nbob: { password: b }\n',
  )
  assert.equal(alice!.limits, { quota: { bytes: 1e9, period: 'day' }, connections: 3 })
  assert.equal(bob!.limits, {})
  assert.throws(() => parseLoginFile('x.yaml', 'a:\n  password: a\n  qouta: 1GB/day\n'), 'did you mean quota')
})

test('a bucket lets through what its rate allows, and no more', () => {
  let now = 0
  const bucket = new TokenBucket(100_000, () => now)
  let sent = 0
  // A chunk whenever there is no debt, for ten seconds.
  for (; now < 10_000; now++) {
    if (bucket.inDebt) continue
    bucket.take(10_000)
    sent += 10_000
  }
  assert.ok(sent >= 1_000_000 && sent <= 1_000_000 + 16_384 + 10_000, String(sent))
  // A rest saves up a burst, not more.
  now += 3_600_000
  let burst = 0
  for (; !bucket.inDebt; burst += 1_000) bucket.take(1_000)
  assert.ok(burst <= 18_000, String(burst))
})

test('a rate that is raised is not waited for at the old one', async () => {
  const bucket = new TokenBucket(1_000)
  bucket.take(1_000_000)
  let paid = false
  bucket.whenPaid(() => {
    paid = true
  })
  bucket.rate = 1e9
  await until(() => paid, 'the debt to be paid at the new rate')
})

test('those that wait for a bucket go on one after another, and who takes that back does not', async () => {
  const bucket = new TokenBucket(1_000_000)
  const began = performance.now()
  bucket.take(150_000)
  const woken: number[] = []
  const waits = Array.from({ length: 20 }, (_, i) =>
    bucket.whenPaid(() => {
      woken.push(i)
      bucket.take(16_384)
    }),
  )
  waits[3]!()
  assert.equal(woken, [])
  await until(() => woken.length === 19, 'all to go on')
  assert.equal(
    woken,
    Array.from({ length: 20 }, (_, i) => i).filter(i => i !== 3),
  )
  // 50 kB of debt and 18 turns take 345 ms at the least.
  assert.ok(performance.now() - began >= 300)
})

test.run()
