import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Exits } from '../../cli/client/fleet/exits.ts'
import { banOn } from '../../cli/client/outbound/ban-on.ts'
import { createEvents, type ProxyEvent } from '../../cli/client/stats/events.ts'

const test = suite('Answers that ban exits')

function world() {
  const banned: string[] = []
  const events = createEvents()
  const told: ProxyEvent[] = []
  events.subscribe(event => told.push(event))
  const exits: Exits = {
    select: () => Promise.reject(new Error('nobody asks')),
    full() {},
    mayReuse: (session, host) => !banned.includes(`${session} ${host}`),
    ban: (host, session) => banned.push(`${session} ${host}`),
  }
  const time = { now: 0 }
  const onAnswer = banOn(
    () => [403, 429],
    exits,
    events,
    () => time.now,
  )
  return { banned, told, time, onAnswer }
}

test('only the codes that are given ban an exit, once however many answers come', () => {
  const { banned, onAnswer } = world()
  for (const status of [200, 404, 500]) onAnswer({ host: 'www.example.com', session: 'a', status })
  // Without an exit there is nothing to ban.
  onAnswer({ host: 'www.example.com', session: undefined, status: 403 })
  assert.equal(banned, [])
  for (let i = 0; i < 5; i++) onAnswer({ host: 'www.example.com', session: 'a', status: 429 })
  assert.equal(banned, ['a www.example.com'])
})

test('a site bans three exits in ten minutes, whichever of its hosts says it, and other sites as many', () => {
  const { banned, told, time, onAnswer } = world()
  for (const [i, session] of ['a', 'b', 'c', 'd', 'e'].entries())
    onAnswer({ host: `www${i}.example.com`, session, status: 403 })
  assert.is(banned.length, 3)
  assert.equal(
    told.map(event => event.type === 'site.spared' && [event.site, event.session, event.status]),
    [['example.com', 'd', 403]],
    'told once',
  )
  onAnswer({ host: 'example.org', session: 'a', status: 403 })
  assert.is(banned.length, 4)
  time.now = 600_001
  onAnswer({ host: 'www.example.com', session: 'f', status: 403 })
  assert.is(banned.at(-1), 'f www.example.com')
})

test.run()
