import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createEvents } from '../../cli/client/stats/events.ts'
import { createModel } from '../../cli/client/stats/model.ts'

const test = suite('bans that the dashboard knows')

test('bans are shown until they end, or are lifted; the last first, and no more than fit', () => {
  const events = createEvents()
  const clock = { now: 1_000_000 }
  const model = createModel(events, () => clock.now)
  const ban = (site: string, address: string) =>
    events.emit({ type: 'site.banned', site, session: 'a', address, launching: true, forMs: 1_000 })
  ban('a.example', '192.0.2.1')
  ban('b.example', '192.0.2.1')
  clock.now += 600
  ban('a.example', '192.0.2.2')
  const shown = () => model.state().bans.map(({ site, addresses }) => [site, ...addresses])
  assert.equal(shown(), [
    ['a.example', '192.0.2.1', '192.0.2.2'],
    ['b.example', '192.0.2.1'],
  ])
  assert.is(model.state().bans[0]!.endsAt, clock.now + 1_000)
  clock.now += 400
  assert.equal(shown(), [['a.example', '192.0.2.2']])
  events.emit({ type: 'site.unbanned', site: 'a.example', address: '192.0.2.2' })
  assert.equal(shown(), [])
  for (let i = 0; i < 100; i++) ban(`${i}.example`, '192.0.2.1')
  assert.equal([shown().length, shown()[0]![0]], [50, '99.example'])
})

test.run()
