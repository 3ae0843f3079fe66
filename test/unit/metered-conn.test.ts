import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Account } from '../../cli/client/accounts/account.ts'
import type { Limits } from '../../cli/client/accounts/limits.ts'
import { TokenBucket } from '../../cli/client/accounts/token-bucket.ts'
import type { Conn } from '../../tunnel/net/conn.ts'
import { relay } from '../../tunnel/session/relay.ts'
import { FakeConn } from '../support/fake-conn.ts'
import { until } from '../support/until.ts'

const test = suite('metered connections')

/** A client and a target joined by a relay, the target's side metered. */
function joined(limits: Limits) {
  const account = new Account('alice', () => {})
  account.limit(limits)
  const lease = account.open(() => {})
  if ('code' in lease) throw new Error(lease.code)
  const client = new FakeConn()
  const target = new FakeConn()
  const counts = { up: 0, down: 0 }
  const metered = lease.meter(target)
  const ends: string[] = []
  relay(client, metered, { counts, onEnd: end => ends.push(end) })
  return { account, lease, client, target, counts, metered, ends }
}

const length = (chunks: readonly Uint8Array[]) => chunks.reduce((sum, each) => sum + each.length, 0)
const text = (conn: FakeConn) => Buffer.concat(conn.written).toString()
/** Whether its peer has to wait. */
const waits = (conn: FakeConn) => conn.said.findLast(said => said !== 'end') === 'pause'
const started = () => Promise.resolve()

test('bytes are counted in each direction, and those handed back once', async () => {
  const { account, client, target, counts } = joined({})
  await started()
  client.sayData(Buffer.from('request'))
  target.sayData(Buffer.from('the response'))
  assert.equal(account.unwritten, { up: 7, down: 12 })
  assert.equal(counts, account.unwritten)

  const other = new FakeConn()
  const lease = account.open(() => {})
  assert.ok('meter' in lease)
  const conn: Conn = lease.meter(other)
  const detach = conn.attach({ data() {}, end() {}, drain() {}, close() {} })
  await started()
  other.sayData(Buffer.from('head and rest'))
  detach(Buffer.from('rest'))
  assert.is(account.unwritten.down, 12 + 9)
  conn.attach({ data() {}, end() {}, drain() {}, close() {} })
  await started()
  assert.is(account.unwritten.down, 12 + 13)
})

for (const direction of ['down', 'up'] as const)
  test(`${direction}: who is too fast waits until the debt is paid, and nothing is lost or changes places`, async () => {
    const { client, target } = joined({ rate: { down: 400_000, up: 400_000 } })
    await started()
    const [from, to] = direction === 'down' ? [target, client] : [client, target]
    const began = performance.now()
    let sent = ''
    for (let i = 0; i < 12; i++) {
      await until(() => !waits(from), 'the next chunk to be wanted')
      const chunk = String.fromCharCode(97 + i).repeat(20_000)
      from.sayData(Buffer.from(chunk))
      sent += chunk
    }
    from.sayEnd()
    await until(() => to.said.includes('end'), 'the end')
    assert.ok(text(to) === sent)
    // 240 kB at 400 kB a second, less a burst of 40 kB and the last chunk.
    assert.ok(performance.now() - began >= 400)
  })

test('two connections of a login share its rate, and the other direction has its own', async () => {
  const { account, client, target } = joined({ rate: { down: 100_000, up: 100_000 } })
  await started()
  target.sayData(Buffer.alloc(30_000))
  assert.ok(waits(target))
  const lease = account.open(() => {})
  assert.ok('meter' in lease)
  const second = new FakeConn()
  const other = new FakeConn()
  relay(other, lease.meter(second))
  await started()
  second.sayData(Buffer.alloc(1))
  assert.ok(waits(second))
  client.sayData(Buffer.alloc(1))
  assert.not(waits(client))
})

test('a slow reader and a rate together: each waits for both', async () => {
  const { account, client, target } = joined({ rate: { down: 1_000_000, up: 1_000_000 } })
  await started()
  client.taking = false
  target.sayData(Buffer.alloc(150_000))
  assert.ok(waits(target))
  client.taking = true
  client.take()
  // The reader has room, the bucket none yet.
  assert.ok(waits(target))
  await until(() => !waits(target), 'the bucket')
  target.taking = false
  client.sayData(Buffer.alloc(150_000))
  assert.ok(waits(client))
  await until(() => !account.bucket('up')?.inDebt, 'the bucket')
  assert.ok(waits(client))
  target.taking = true
  target.take()
  await until(() => !waits(client), 'both')
})

test('at the end of its quota a connection is broken behind what it has carried', async () => {
  const { client, target, lease, account, ends } = joined({ quota: { bytes: 100, period: 'day' } })
  await started()
  target.abort = () => {
    target.said.push('abort')
    target.sayClose(true)
  }
  target.sayData(Buffer.alloc(60))
  target.sayData(Buffer.alloc(60))
  assert.ok(lease.wasCut)
  assert.is(account.used, 120)
  assert.is(length(client.written), 120)
  assert.equal(ends, ['target-closed'])
  assert.ok(client.said.includes('abort') && target.said.includes('abort'))
  assert.ok('code' in account.open(() => {}))
})

test('a lease ends with its connection', async () => {
  const { account, target, client } = joined({ connections: 1 })
  await started()
  assert.ok('code' in account.open(() => {}))
  target.sayEnd()
  client.sayEnd()
  target.sayClose(false)
  assert.ok('meter' in account.open(() => {}))
})

test('a rest saves up no more than a burst', () => {
  const clock = { now: 0 }
  const bucket = new TokenBucket(1_000, () => clock.now)
  clock.now += 3_600_000
  bucket.take(16_384)
  assert.not(bucket.inDebt)
  bucket.take(1)
  assert.ok(bucket.inDebt)
})

test('of those that wait one goes on at a time, as the rate allows', async () => {
  const clock = { now: 0 }
  const bucket = new TokenBucket(1_000_000, () => clock.now)
  bucket.take(100_000 + 1_000)
  clock.now = 1
  assert.not(bucket.inDebt)
  const wentOn: number[] = []
  let together = 0
  for (const each of [1, 2])
    bucket.whenPaid(() => {
      wentOn.push(each)
      // By then all that were woken with it have gone on.
      queueMicrotask(() => {
        together = Math.max(together, wentOn.length - each + 1)
      })
    })
  await until(() => wentOn.length === 2, 'both to go on')
  assert.equal(wentOn, [1, 2])
  assert.is(together, 1)
})

test('another rate holds for what is open, and packets beyond it are lost', () => {
  const { account, lease } = joined({ rate: { down: 1_000, up: 1_000 } })
  const bucket = lease.packet('up', 50_000) && account.bucket('up')
  assert.ok(bucket)
  assert.not(lease.packet('up', 1), 'there is a debt')
  assert.ok(lease.packet('down', 1), 'the other direction has none')
  account.limit({ rate: { down: 1_000, up: 2_000 } })
  assert.is(account.bucket('up'), bucket, 'the debt stays')
  assert.is(bucket.rate, 2_000)
  account.limit({})
  assert.ok(lease.packet('up', 50_000))
  assert.ok(lease.packet('up', 50_000))
})

test('one that waits for its rate is full, and reads on only for an owner that did not pause', async () => {
  const { account, metered, target, client } = joined({ rate: { down: 400_000, up: 400_000 } })
  await started()
  client.sayData(Buffer.alloc(41_000))
  assert.ok(metered.full)
  await until(() => !metered.full, 'the debt to be paid')
  target.sayData(Buffer.alloc(41_000))
  metered.pause()
  // Another that waits at the same bucket goes on after it.
  let isPaid = false
  account.bucket('down')!.whenPaid(() => {
    isPaid = true
  })
  await until(() => isPaid, 'the debt to be paid')
  assert.is(target.said.at(-1), 'pause')
  metered.resume()
  assert.is(target.said.at(-1), 'resume')
})

test.run()
