import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { rateLimiter } from '../../function/rate-limiter.ts'

const test = suite('rate limiter')

test('as many as a second allows go at once, and the next waits', async () => {
  const turn = rateLimiter(20)
  const order: number[] = []
  const turns = Array.from({ length: 21 }, (_, i) => turn().then(() => order.push(i)))
  await Promise.all(turns.slice(0, 20))
  assert.is(order.length, 20)
  await turns[20]
  assert.is(order.length, 21)
})

test('what waits goes on in the order of its coming, no faster than the pace', async () => {
  const turn = rateLimiter(200)
  const started = performance.now()
  const order: number[] = []
  await Promise.all(Array.from({ length: 260 }, (_, i) => turn().then(() => order.push(i))))
  assert.equal(
    order,
    Array.from({ length: 260 }, (_, i) => i),
  )
  // 60 more than the first 200: 0.3 s of the pace. That it may take longer is the machine's affair.
  assert.ok(performance.now() - started >= 290)
})

/** Runs a story on a clock of its own. */
async function withClock(story: (pass: (ms: number) => void) => Promise<void>): Promise<void> {
  const { now } = performance
  let clock = 1_000
  performance.now = () => clock
  try {
    await story(ms => {
      clock += ms
    })
  } finally {
    performance.now = now
  }
}

test('who comes while others wait does not overtake them, though there is a turn by now', () =>
  withClock(async pass => {
    const turn = rateLimiter(50)
    const order: string[] = []
    const first = Array.from({ length: 52 }, (_, i) => turn().then(() => order.push(`${i}`)))
    await first[49]
    // The two that wait have not been woken yet.
    pass(1_000)
    const late = turn().then(() => order.push('late'))
    await Promise.all([...first, late])
    assert.equal(order.slice(-3), ['50', '51', 'late'])
  }))

test('turns that nobody took are not saved up for more than a second', () =>
  withClock(async pass => {
    const turn = rateLimiter(20)
    pass(3_600_000)
    let taken = 0
    const turns = Array.from({ length: 21 }, () => turn().then(() => taken++))
    await Promise.all(turns.slice(0, 20))
    await new Promise(resolve => setImmediate(resolve))
    assert.is(taken, 20)
    pass(50)
    await turns[20]
  }))

test.run()
