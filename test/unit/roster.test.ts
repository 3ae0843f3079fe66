import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Roster } from '../../tunnel/net/roster.ts'

const test = suite('a roster')

test('lists what is there in the order in which it came', () => {
  const roster = new Roster<string>()
  assert.is(roster.oldest, undefined)
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(value => roster.enter(value))
  const now = () => [roster.list().join(''), roster.oldest?.value, roster.size]
  assert.equal(now(), ['abcd', 'a', 4])
  assert.is(b!.leave(), true)
  assert.equal(now(), ['acd', 'a', 3])
  a!.leave()
  assert.equal(now(), ['cd', 'c', 2])
  d!.leave()
  roster.enter('e')
  assert.equal(now(), ['ce', 'c', 2])
  c!.leave()
  assert.equal(now(), ['e', 'e', 1])
})

test('lets each go once, and one that comes again has another place', () => {
  const roster = new Roster<object>()
  const value = {}
  const [first, second] = [roster.enter(value), roster.enter(value)]
  assert.is(first.leave(), true)
  assert.is(first.leave(), false)
  assert.equal([roster.size, roster.list()], [1, [value]])
  second.leave()
  assert.equal([roster.size, roster.oldest, roster.list()], [0, undefined, []])
})

test('an entry that has left leads to nobody else', () => {
  const roster = new Roster<string>()
  const [, entry] = ['a', 'b', 'c'].map(value => roster.enter(value))
  entry!.leave()
  assert.equal([entry!.value, entry!.older, entry!.newer], ['b', undefined, undefined])
})

test.run()
