import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Attempt, Outlet } from '../../function/outlet.ts'
import { race } from '../../function/race.ts'
import { until } from '../support/until.ts'

const test = suite('the race of a host’s addresses')

/** Attempts that end as the test says, by address. */
function attempts() {
  const begun = new Map<string, { win(): Outlet; lose(code: string): void; cancelled: boolean }>()
  const connect = (address: string): Attempt => {
    const { promise, resolve, reject } = Promise.withResolvers<Outlet>()
    const outlet = { bound: { host: address, port: 1 } } as Outlet
    const attempt = {
      cancelled: false,
      win() {
        resolve(outlet)
        return outlet
      },
      lose: (code: string) => reject(Object.assign(new Error(address), { code })),
    }
    begun.set(address, attempt)
    return { outlet: promise, cancel: () => (attempt.cancelled = true) }
  }
  return { begun, connect, the: (address: string) => begun.get(address)! }
}

const four = (address: string) => ({ address, family: 4 })
const six = (address: string) => ({ address, family: 6 })

test('one address has nobody to race with', async () => {
  const { the, connect } = attempts()
  const { outlet } = race([four('a')], 80, connect)
  assert.is(the('a').win(), await outlet)
})

test('the next begins when one fails, by turns of their families, and the first that is connected wins', async () => {
  const { begun, the, connect } = attempts()
  const { outlet } = race([six('a'), six('b'), four('c')], 80, connect)
  assert.equal([...begun.keys()], ['a'])
  the('a').lose('ECONNREFUSED')
  await until(() => begun.has('c'), 'address c')
  the('c').lose('ECONNREFUSED')
  await until(() => begun.has('b'), 'address b')
  assert.is(the('b').win(), await outlet)
})

test('one that does not answer holds the others up for its head start only, and is given up', async () => {
  const { begun, the, connect } = attempts()
  const { outlet } = race([four('a'), four('b'), four('c')], 80, connect)
  await until(() => begun.has('b'), 'address b')
  assert.not.ok(the('a').cancelled)
  the('b').win()
  assert.is((await outlet).bound.host, 'b')
  assert.ok(the('a').cancelled)
  assert.not.ok(the('b').cancelled)
  // Who comes too late is broken off.
  the('a').cancelled = false
  the('a').win()
  await until(() => the('a').cancelled, 'the late one to be broken off')
  assert.not.ok(begun.has('c'))
})

test('when all fail it is the first address that says why', async () => {
  const { begun, the, connect } = attempts()
  const { outlet } = race([four('a'), four('b')], 80, connect)
  await until(() => begun.has('b'), 'address b')
  the('b').lose('EHOSTUNREACH')
  the('a').lose('ECONNREFUSED')
  const error = await outlet.then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error,
  )
  assert.is(error?.code, 'ECONNREFUSED')
})

test('given up, it gives up all that it has begun, and begins no more', async () => {
  const { begun, the, connect } = attempts()
  const given = race([four('a'), four('b'), four('c')], 80, connect)
  await until(() => begun.has('b'), 'the second address')
  given.cancel()
  assert.ok(the('a').cancelled && the('b').cancelled)
  the('a').lose('ECONNRESET')
  the('b').lose('ECONNRESET')
  await Promise.resolve()
  assert.not.ok(begun.has('c'))
})

test.run()
