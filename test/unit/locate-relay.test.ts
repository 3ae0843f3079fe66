import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Location } from '../../tunnel/nat/locate.ts'
import { locateWithRelay, type WithRelayOptions } from '../../tunnel/nat/locate-with-relay.ts'
import type { Allocation } from '../../tunnel/nat/turn/allocation.ts'
import { TurnError } from '../../tunnel/nat/turn/error.ts'
import type { RelaySource } from '../../tunnel/nat/turn/source.ts'
import { until } from '../support/until.ts'

// STUN and TURN beside each other: neither waits for the other for long.

interface Context {
  relay: Allocation
  closed: number
  source: { -readonly [K in keyof RelaySource]: RelaySource[K] }
  run: (options?: Partial<WithRelayOptions<Location>>) => ReturnType<typeof locateWithRelay<Location>>
  told: string[]
}

const test = suite<Context>('where a socket is seen, and what a relay lends')
const local = { address: '0.0.0.0', port: 1 }
const mapped = { address: '192.0.2.1', port: 1_000 }
const relayed = { address: '203.0.113.1', port: 3_000 }
const seen: Location = {
  local,
  mapped,
  mapping: 'endpoint-independent',
  candidates: [{ ...mapped, kind: 'server-reflexive' }],
  views: [],
}
const silence = (signal: AbortSignal | undefined) =>
  new Promise<never>((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
const never = new Promise<never>(() => {})
const refused = () => Promise.reject(new TurnError('E_TURN_QUOTA', 'turn:a', 'refuses'))

test.before.each(context => {
  context.closed = 0
  context.told = []
  context.relay = { local: relayed, close: () => context.closed++ } as unknown as Allocation
  context.source = { only: false, isTrusted: true, isNeeded: false, lend: async () => context.relay }
  context.run = options =>
    locateWithRelay<Location>(
      { local },
      {
        source: context.source,
        locate: async () => seen,
        relayed: location => location,
        onFailed: ({ code }) => context.told.push(code),
        ...options,
      },
    )
})

test('both are found: the relay is the last candidate', async ({ run, relay }) => {
  const { candidates, relay: lent } = await run()
  assert.equal(candidates, [...seen.candidates, { ...relayed, kind: 'relayed' }])
  assert.is(lent, relay)
})

test('without a relay to ask nothing changes', async ({ run }) => {
  assert.is(await run({ source: undefined }), seen)
})

test('a refusal is told, and STUN serves', async ({ run, source, told }) => {
  source.lend = refused
  assert.is(await run(), seen)
  assert.equal(told, ['E_TURN_QUOTA'])
})

test('a relay that is slow is not waited for, and given back when it comes', async context => {
  const { source, run, relay } = context
  const lending = Promise.withResolvers<Allocation>()
  source.lend = () => lending.promise
  assert.is(await run(), seen)
  lending.resolve(relay)
  await until(() => context.closed === 1, 'the relay to be given back')
})

for (const [why, hard, isNeeded] of [
  ['the NAT is hard', true, false],
  ['an earlier session found no path', false, true],
] as const)
  test(`where ${why} a slow relay is waited for longer`, async ({ source, run, relay }) => {
    source.isNeeded = isNeeded
    source.lend = () => new Promise(resolve => setTimeout(() => resolve(relay), 600))
    const location: Location = { ...seen, mapping: hard ? 'address-dependent' : 'endpoint-independent' }
    assert.is((await run({ locate: async () => location })).relay, relay)
  })

test('after one that did not work the next is not waited for at all', async ({ source, run }) => {
  source.isTrusted = false
  source.lend = () => never
  let timers = 0
  const { setTimeout: real } = globalThis
  globalThis.setTimeout = ((action: () => void, ms: number) => {
    timers = Math.max(timers, ms ?? 0)
    return real(action, ms)
  }) as typeof setTimeout
  try {
    assert.is(await run(), seen)
  } finally {
    globalThis.setTimeout = real
  }
  assert.is(timers, 0)
})

test('where STUN servers are silent the relay serves alone', async ({ run, relay }) => {
  const location = await run({ locate: silence, stunWaitMs: 20 })
  assert.equal(location, {
    local,
    mapped: relayed,
    mapping: 'unknown',
    candidates: [{ ...relayed, kind: 'relayed' }],
    views: [],
    relay,
  })
})

test('where STUN has all the time that it wants, a relay does not cut it short', async ({ run }) => {
  const locating = Promise.withResolvers<Location>()
  const running = run({ locate: () => locating.promise, stunWaitMs: Number.POSITIVE_INFINITY })
  // The relay, which is there, has had its turn.
  await new Promise(resolve => setImmediate(resolve))
  locating.resolve(seen)
  assert.is((await running).mapped, mapped)
})

test('where STUN fails the relay is waited for, and serves alone', async ({ run, source, relay }) => {
  const lending = Promise.withResolvers<Allocation>()
  source.lend = () => lending.promise
  const running = run({ locate: () => Promise.reject(new Error('STUN')) })
  lending.resolve(relay)
  assert.is((await running).relay, relay)
})

test('where both fail the reason of STUN is thrown, and that of the relay told', async ({
  run,
  source,
  told,
}) => {
  source.lend = refused
  const error = await run({ locate: () => Promise.reject(new Error('STUN')) }).catch(error => error)
  assert.is(error.message, 'STUN')
  assert.equal(told, ['E_TURN_QUOTA'])
})

test('by a relay alone STUN is not asked, and without it there is nothing', async ({
  run,
  source,
  relay,
}) => {
  const only = { ...source, only: true }
  const locate = () => Promise.reject(new Error('it was asked'))
  assert.is((await run({ source: only, locate })).relay, relay)
  const error = await run({ source: { ...only, lend: refused }, locate }).catch(error => error)
  assert.is(error.code, 'E_TURN_QUOTA')
})

test('called off, it gives back what comes', async context => {
  const { run, source, relay } = context
  const stop = new AbortController()
  const lending = Promise.withResolvers<Allocation>()
  source.lend = () => lending.promise
  const running = run({ locate: silence, signal: stop.signal })
  const reason = new Error('called off')
  stop.abort(reason)
  assert.is(await running.catch(error => error), reason)
  lending.resolve(relay)
  await until(() => context.closed === 1, 'the relay to be given back')
})

test.run()
