import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { answerLimit } from '../../cli/client/fleet/trigger.ts'

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

test.run()
