import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CancelSignal } from '../../tunnel/net/cancellation.ts'
import { endLimit, startLimit } from '../../tunnel/net/time-limit.ts'
import { until } from '../support/until.ts'

const test = suite('limits and cancellation')

test('limits come due in their order, and none that was ended', async () => {
  const late: string[] = []
  startLimit(20, () => late.push('first'))
  const ended = startLimit(20, () => late.push('ended'))
  startLimit(20, () => late.push('second'))
  endLimit(ended)
  endLimit(undefined)
  await until(() => late.length === 2, 'the limits to be over')
  assert.equal(late, ['first', 'second'])
})

test('a limit that begins when one of its length is over comes due as well', async () => {
  let over = 0
  const again = () => {
    if (++over < 3) startLimit(5, again)
  }
  startLimit(5, again)
  await until(() => over === 3, 'the last limit')
})

test('a limit that was ended may be ended again, and others of its length run on', async () => {
  let over = false
  const ended = startLimit(15, () => assert.unreachable())
  startLimit(15, () => {
    over = true
  })
  endLimit(ended)
  endLimit(ended)
  await until(() => over, 'the other limit')
})

test('a signal tells each listener once, with its reason, and nobody who has left or comes late', () => {
  const signal = new CancelSignal()
  const heard: string[] = []
  const left = () => heard.push('left')
  signal.throwIfAborted()
  signal.addEventListener('abort', () => heard.push(String(signal.reason)))
  signal.addEventListener('abort', left)
  signal.removeEventListener('abort', left)
  signal.abort('gone')
  signal.abort('again')
  signal.addEventListener('abort', left)
  assert.equal(heard, ['gone'])
  assert.is(signal.aborted, true)
  assert.throws(
    () => signal.throwIfAborted(),
    (reason: unknown) => reason === 'gone',
  )
})

test('one that began later is not over with the first of its length', async () => {
  const began = performance.now()
  startLimit(60, () => {})
  await until(() => performance.now() > began + 30, 'half of its time')
  const secondBegan = performance.now()
  let second = 0
  startLimit(60, () => {
    second = performance.now()
  })
  await until(() => second > 0, 'the second limit')
  assert.ok(second - secondBegan >= 59, `${second - secondBegan} ms`)
})

test.run()
