import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { answerLimit, awaitAnswer } from '../../cli/client/fleet/trigger.ts'
import type { SignalBucket } from '../../tunnel/signalling/bucket.ts'
import type { Answer } from '../../tunnel/signalling/documents.ts'
import { anAnswer } from '../support/documents.ts'
import { until } from '../support/until.ts'

const test = suite('the wait for an answer')

const minute = 60_000
const at = 1_764_000_000_000
const limit = (deployedAt: number | undefined) => answerLimit(30_000, { mode: 'auto', deployedAt }, at)

test('it is as long as was said, and longer in the five minutes after a deployment', () => {
  assert.is(limit(undefined), 30_000)
  assert.is(limit(at), 5 * minute)
  assert.is(limit(at - 3 * minute), 2 * minute)
  assert.is(limit(at - 5 * minute + 10_000), 30_000)
  assert.is(limit(at - 6 * minute), 30_000)
})

/** A wait in which the offer is being renewed, and S3 does not take it. */
function stalledRenewal() {
  const answered = Promise.withResolvers<Answer>()
  const renewing = Promise.withResolvers<AbortSignal>()
  const stalled = Promise.withResolvers<void>()
  const outcome = awaitAnswer({
    id: 'id',
    bucket: { waitForAnswer: () => answered.promise } as Partial<SignalBucket> as SignalBucket,
    trigger: { mode: 's3' },
    limitMs: 60_000,
    renewAfterMs: 1,
    renew(signal) {
      renewing.resolve(signal)
      return stalled.promise
    },
  })
  return { answered, renewing: renewing.promise, stalled, outcome }
}

test('an answer does not wait for a renewal that stalls: that is called off', async () => {
  const { answered, renewing, outcome } = stalledRenewal()
  const signal = await renewing
  assert.not(signal.aborted)
  const answer = anAnswer()
  answered.resolve(answer)
  let heard: Answer | undefined
  void outcome.then(each => {
    heard = each
  })
  await until(() => heard === answer, 'the answer')
  assert.ok(signal.aborted)
})

test('a failure waits for the renewal: the offer that is deleted then is not written after that', async () => {
  const { answered, renewing, stalled, outcome } = stalledRenewal()
  const signal = await renewing
  const order: string[] = []
  const failed = outcome.catch((error: Error) => order.push(error.message))
  signal.addEventListener('abort', () => {
    // As late as can be: everything that waits for nothing else has run.
    setImmediate(() => {
      order.push('renewed')
      stalled.resolve()
    })
  })
  answered.reject(new Error('failed'))
  await failed
  assert.equal(order, ['renewed', 'failed'])
})

test.run()
