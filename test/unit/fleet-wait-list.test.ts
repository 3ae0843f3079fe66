import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { comingFleet } from '../../cli/client/fleet/coming-fleet.ts'
import { type ExitRequest, NoExitError } from '../../cli/client/fleet/exits.ts'
import type { Session } from '../../cli/client/fleet/launch.ts'
import { createWaitList } from '../../cli/client/fleet/wait-list.ts'

const test = suite('connections that wait for an exit')

const forever = 600_000

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'taken',
    error => (error instanceof NoExitError ? error.code : error),
  )

test('what is there is taken at once, and what comes later by whoever waited longest', async () => {
  const list = createWaitList()
  const exits = ['a']
  const take = () => exits.shift()
  assert.is(await list.wait(take, forever), 'a')
  const [first, second] = [list.wait(take, forever), list.wait(take, forever)]
  assert.is(list.size, 2)
  exits.push('b')
  list.retry()
  assert.is(await first, 'b')
  assert.is(list.size, 1)
  exits.push('c')
  list.retry()
  assert.is(await second, 'c')
  assert.is(list.size, 0)
})

test('a wait ends at its limit', async () => {
  const list = createWaitList()
  assert.is(await codeOf(list.wait(() => undefined, 1)), 'E_EXIT_TIMEOUT')
  assert.is(list.size, 0)
})

test('whoever has gone waits no longer, and takes nothing', async () => {
  const list = createWaitList()
  let taken = 0
  const goings = Array.from({ length: 1_000 }, () => new AbortController())
  const waits = goings.map(({ signal }) =>
    codeOf(list.wait(() => (++taken > 1_000 ? 'x' : undefined), forever, signal)),
  )
  assert.is(list.size, 1_000)
  for (const going of goings) going.abort('gone')
  assert.is(list.size, 0)
  assert.equal(new Set(await Promise.all(waits)), new Set(['gone']))
  list.retry()
  assert.is(taken, 1_000)
  assert.is(await codeOf(list.wait(() => 'x', forever, AbortSignal.abort('gone'))), 'gone')
})

test('a wait that has found something listens to nobody any more', async () => {
  const list = createWaitList()
  const exits: string[] = []
  let listeners = 0
  const { signal } = new AbortController()
  const add = signal.addEventListener.bind(signal)
  const remove = signal.removeEventListener.bind(signal)
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners++
    add(...args)
  }
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners--
    remove(...args)
  }
  const waits = Array.from({ length: 100 }, () => list.wait(() => exits.shift(), forever, signal))
  assert.is(listeners, 100)
  exits.push(...Array.from({ length: 100 }, String))
  list.retry()
  await Promise.all(waits)
  assert.is(listeners, 0)
})

test('when the proxy ends, all waits end, and there are no more', async () => {
  const list = createWaitList()
  const waiting = codeOf(list.wait(() => undefined, forever))
  list.close()
  assert.is(await waiting, 'E_PROXY_CLOSED')
  assert.is(await codeOf(list.wait(() => 'x', forever)), 'E_PROXY_CLOSED')
})

test('connections wait for a fleet that is still to come, as they wait for an exit', async () => {
  const session = { id: 'a' } as Session
  const asked: string[] = []
  const coming = comingFleet()
  const gone = new AbortController()
  const first = coming.select({ host: 'first' }, forever)
  const left = codeOf(coming.select({ host: 'left', signal: gone.signal }, forever))
  const late = codeOf(coming.select({ host: 'late' }, 1))
  gone.abort('gone')
  assert.is(await left, 'gone')
  assert.is(await late, 'E_EXIT_TIMEOUT')
  const limits: number[] = []
  const fleet = {
    async select({ host }: ExitRequest, limitMs: number) {
      asked.push(host)
      limits.push(limitMs)
      return session
    },
    full() {},
    mayReuse: () => true,
  }
  coming.arrive(fleet)
  assert.is(coming.arrived, fleet)
  assert.is(await first, session)
  assert.is(await coming.select({ host: 'second' }, forever), session)
  assert.equal(asked, ['first', 'second'])
  assert.ok(limits[0]! < forever, 'what was waited for the fleet is not waited for again')
  assert.is(limits[1], forever)
})

test('those that wait are refused together, and whoever comes later waits again', async () => {
  const waits = createWaitList()
  const first = [1, 2].map(() => waits.wait(() => undefined, 60_000))
  waits.refuse(new NoExitError('E_BUDGET_SPENT', 'no money'))
  for (const { status, reason } of (await Promise.allSettled(first)) as PromiseRejectedResult[])
    assert.equal([status, reason.code], ['rejected', 'E_BUDGET_SPENT'])
  assert.is(waits.size, 0)
  let found: string | undefined
  const later = waits.wait(() => found, 60_000)
  found = 'exit'
  waits.retry()
  assert.is(await later, 'exit')
})

test.run()
