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

test('who comes while others wait does not overtake them', async () => {
  const turn = rateLimiter(50)
  const order: string[] = []
  const first = Array.from({ length: 60 }, () => turn().then(() => order.push('first')))
  await first[50]
  const late = turn().then(() => order.push('late'))
  await Promise.all([...first, late])
  assert.is(order.at(-1), 'late')
})

test.run()
