import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { arrive, newAddresses } from '../../cli/client/fleet/addresses.ts'
import { isAccepting, isLastResort, plan } from '../../cli/client/fleet/plan.ts'
import {
  arrived,
  defaultFleetSettings,
  draining,
  launching,
  newFleetState,
  ready,
} from '../../cli/client/fleet/state.ts'
import { createEvents } from '../../cli/client/stats/events.ts'
import { createModel } from '../../cli/client/stats/model.ts'

const test = suite('The addresses of exits')

const here = (address: string) => ({ region: 'here', address })

test('an address that another exit had is replaced three times in a row, then used', () => {
  const addresses = newAddresses()
  const replaced = (address: string, region = 'here') => arrive(addresses, { region, address }, true).replaced
  assert.not(replaced('192.0.2.1'))
  for (let i = 0; i < 3; i++) assert.ok(replaced('192.0.2.1'))
  assert.not(replaced('192.0.2.1'), 'there seem to be no others')
  assert.not(replaced('192.0.2.1'))
  assert.ok(replaced('192.0.2.1', 'there'), 'another region may have others')
  assert.not(replaced('192.0.2.2'))
  assert.ok(replaced('192.0.2.2'), 'there are others after all')
})

test('without distinct addresses they are counted, and all of them used', () => {
  const addresses = newAddresses()
  const seen = ['192.0.2.1', '192.0.2.1', '192.0.2.2'].map(address => arrive(addresses, here(address), false))
  assert.equal(
    seen.map(({ isNew, exits, distinct, replaced }) => [isNew, exits, distinct, replaced]),
    [
      [true, 1, 1, false],
      [false, 2, 1, false],
      [true, 1, 2, false],
    ],
  )
})

test('however many addresses there are, so many are remembered', () => {
  const addresses = newAddresses()
  for (let i = 0; i < 30_000; i++) arrive(addresses, here(`address ${i}`), true)
  assert.is(addresses.seen.size, 10_000)
  assert.is(addresses.distinct, 30_000)
})

test('an exit at an address of another one takes nothing, is let go, and another is launched', () => {
  const state = newFleetState({ ...defaultFleetSettings, distinct: true, sessions: 2 }, ['here'])
  for (const id of ['a', 'b']) {
    launching(state, id, 'here', 0)
    ready(state, id, 600_000, 1_000, '192.0.2.1')
    arrived(state, state.exits.get(id)!, '192.0.2.1')
  }
  const [first, second] = [...state.exits.values()]
  assert.ok(isAccepting(first!, 1_000))
  assert.not(isAccepting(second!, 1_000))
  assert.equal(plan(state, 1_000), [
    { type: 'launch', region: 'here' },
    { type: 'drain', id: 'b' },
  ])
  draining(state, 'b', 1_000)
  assert.not(isLastResort(second!, 1_500))
  assert.ok(plan(state, 2_000).some(action => action.type === 'close' && action.id === 'b'))
})

test('the page is told which addresses were seen, when and where', () => {
  let now = 1_000
  const events = createEvents()
  const model = createModel(events, () => now)
  const see = (address: string, exits: number, distinct: number) =>
    events.emit({
      type: 'address.seen',
      session: 's',
      region: 'here',
      address,
      isNew: exits === 1,
      exits,
      distinct,
      replaced: false,
    })
  see('192.0.2.1', 1, 1)
  now = 2_000
  see('192.0.2.2', 1, 2)
  now = 3_000
  see('192.0.2.1', 2, 2)
  assert.is(model.distinctAddresses, 2)
  assert.equal(model.state().addresses, {
    distinct: 2,
    latest: [
      { address: '192.0.2.1', region: 'here', exits: 2, firstSeenAt: 1_000, lastSeenAt: 3_000 },
      { address: '192.0.2.2', region: 'here', exits: 1, firstSeenAt: 2_000, lastSeenAt: 2_000 },
    ],
  })
})

test.run()
