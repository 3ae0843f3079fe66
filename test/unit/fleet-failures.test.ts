import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createFailures } from '../../cli/client/fleet/failures.ts'
import { LaunchError } from '../../cli/client/fleet/launch.ts'
import { CodedError } from '../../tunnel/net/coded-error.ts'
import { SignalError } from '../../tunnel/signalling/errors.ts'

const test = suite('launches that failed')

const denied = new LaunchError('offer', new SignalError('E_BUCKET_ACCESS_DENIED', 'access is denied'))
const silent = (port: number) =>
  new LaunchError('punch', new CodedError('E_PUNCH_TIMEOUT', `no path to 192.0.2.1:${port}`))

/** What the promise has resolved with by now, if it has. */
const now = (promise: Promise<void>) => Promise.race([promise, Promise.resolve('not yet')])

test('a reason is news once, whatever its words, and again when an exit has come up', () => {
  const failures = createFailures(['a', 'b'])
  const repeated = (region: string, error: unknown) => failures.note(region, error).repeated
  assert.equal(
    [repeated('a', silent(1)), repeated('a', denied), repeated('a', silent(2))],
    [false, false, true],
  )
  assert.is(repeated('b', silent(1)), false)
  failures.recovered('a')
  assert.equal([repeated('a', silent(3)), repeated('b', silent(3))], [false, true])
  assert.equal(failures.note('a', silent(4)), {
    step: 'punch',
    code: 'E_PUNCH_TIMEOUT',
    message: 'no path to 192.0.2.1:4',
    repeated: true,
  })
})

test('it is hopeless when no region can work without somebody’s doing', async () => {
  const failures = createFailures(['a', 'b'])
  failures.note('a', denied)
  assert.is(await now(failures.hopeless), 'not yet')
  failures.note('b', silent(1))
  assert.is(await now(failures.hopeless), 'not yet')
  failures.note('b', denied)
  assert.is(await now(failures.hopeless), undefined)
})

test('it is never hopeless once an exit came up', async () => {
  const failures = createFailures(['a'])
  failures.recovered('a')
  failures.note('a', denied)
  assert.is(await now(failures.hopeless), 'not yet')
})

test('an error without a code of ours is one reason a step', () => {
  const failures = createFailures(['a'])
  assert.is(failures.note('a', new Error('one')).repeated, false)
  assert.is(failures.note('a', new Error('another')).repeated, true)
  assert.is(failures.note('a', new LaunchError('quic', new Error('one'))).repeated, false)
})

test.run()
