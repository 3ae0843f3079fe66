import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { LoginTable } from '../../cli/client/accounts/access.ts'
import { makeLogin } from '../../cli/client/accounts/login.ts'
import { Guesses } from '../../cli/client/inbound/guesses.ts'
import { Places } from '../../cli/client/inbound/places.ts'
import { sourceOf } from '../../cli/client/inbound/source.ts'
import { WaitingRoom } from '../../cli/client/inbound/waiting-room.ts'

const test = suite('who gets in')

const access = new LoginTable([makeLogin('test', 'alice', 'secret')])

/** A clock, and a source that tries passwords: gives how long each attempt waited, undefined when it was rejected. */
function tries() {
  let now = 0
  const guesses = new Guesses(() => now)
  const attempt = async (password: string, source = 'a host') => {
    const attempt = guesses.attempt(source)
    if (!attempt) return undefined
    const admitted = (await attempt.guard(access).admit('alice', password)) !== undefined
    attempt.end()
    return { waited: attempt.waitMs, admitted }
  }
  const pass = (ms: number) => {
    now += ms
  }
  return { guesses, attempt, pass }
}

test('ten wrong passwords are answered at once, then one a second, and whoever queues for long is rejected', async () => {
  const { attempt, pass } = tries()
  const waits: unknown[] = []
  for (let i = 0; i < 30; i++) waits.push((await attempt('wrong'))?.waited)
  assert.equal(waits.slice(0, 10), new Array(10).fill(0))
  assert.equal(
    waits.slice(10, 20),
    Array.from({ length: 10 }, (_, i) => (i + 1) * 1_000),
  )
  assert.equal(waits.slice(20), new Array(10).fill(undefined))
  pass(60_000)
  assert.is((await attempt('wrong'))?.waited, 0)
  let checked = 0
  for (let i = 0; i < 10_000; i++, pass(10)) if (await attempt('wrong')) checked++
  assert.ok(checked <= 130, `${checked} guesses in 100 s`)
})

test('a right password waits like a wrong one, and is not charged', async () => {
  const { attempt } = tries()
  for (let i = 0; i < 12; i++) await attempt('wrong')
  assert.equal(await attempt('secret'), { waited: 3_000, admitted: true })
  for (let i = 0; i < 1_000; i++) assert.ok((await attempt('secret'))?.admitted)
})

test('no other source waits', async () => {
  const { attempt } = tries()
  for (let i = 0; i < 100; i++) await attempt('wrong')
  assert.equal(await attempt('secret', 'another'), { waited: 0, admitted: true })
})

test('where right logins come from, a program with an old password does not keep the others out', async () => {
  const { attempt, pass } = tries()
  await attempt('secret')
  for (let i = 0; i < 600; i++, pass(200)) {
    await attempt('wrong')
    assert.equal(await attempt('secret'), { waited: 0, admitted: true })
  }
})

test('connections that were opened before the first guess do not get past the limit', async () => {
  const { guesses } = tries()
  let checked = 0
  const counting = {
    required: true,
    async admit() {
      checked++
      return undefined
    },
  }
  const early = Array.from({ length: 500 }, () => guesses.attempt('a host')!.guard(counting))
  // All at once: the first of them is still being checked.
  const admissions = await Promise.all(early.map(({ admit }) => admit('alice', 'wrong')))
  assert.not(admissions.some(Boolean))
  assert.is(checked, 10)
})

test('a connection has one wrong guess, and to ask for a login is none', async () => {
  const { guesses } = tries()
  const guarded = guesses.attempt('a host')!.guard(access)
  for (let i = 0; i < 100; i++) assert.not(await guarded.admit('', ''))
  assert.is(guesses.waitMs('a host'), 0)
  assert.not(await guarded.admit('alice', 'wrong'))
  assert.not(await guarded.admit('alice', 'secret'))
  const kept = guesses.attempt('another')!.guard(access)
  for (let i = 0; i < 100; i++) assert.ok(await kept.admit('alice', 'secret'))
})

test('a source is this machine, an IPv4 address, or the network of an IPv6 one', async () => {
  for (const [peer, local, here, name] of [
    ['127.0.0.1', '127.0.0.1', true, 'this machine'],
    ['::1', '::1', true, 'this machine'],
    ['::ffff:127.0.0.9', '::ffff:127.0.0.1', true, 'this machine'],
    ['192.168.1.5', '::ffff:192.168.1.5', true, 'this machine'],
    ['192.168.1.6', '192.168.1.5', false, '192.168.1.6'],
    ['::ffff:192.168.1.6', '::ffff:192.168.1.5', false, '192.168.1.6'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::1', false, '2001:db8:1:2::/64'],
    ['2001:db8:1:2::7', '2001:db8:1:2::1', false, '2001:db8:1:2::/64'],
    ['fe80::1%eth0', 'fe80::2%eth0', false, 'fe80::/64'],
  ] as const)
    assert.equal(
      sourceOf(peer, () => local),
      { here, name },
      peer,
    )
})

const here = { here: true, name: 'this machine' }
const host = (name: string) => ({ here: false, name })

test('other machines leave places to this one, and each of them some to the others', async () => {
  const places = new Places(8)
  const taken = Array.from({ length: 4 }, () => places.take(host('a')))
  assert.is(places.full(host('a')), 'source')
  assert.is(places.full(host('b')), undefined)
  places.take(host('b'))
  places.take(host('b'))
  assert.is(places.full(host('b')), 'elsewhere')
  assert.is(places.full(here), undefined)
  places.take(here)
  places.take(here)
  assert.is(places.full(here), 'all')
  taken[0]!()
  taken[0]!()
  assert.is(places.full(here), undefined)
  assert.is(places.full(host('b')), undefined)
})

test('in the waiting room the oldest of whoever has most gives way', async () => {
  const room = new WaitingRoom({ here: 2, elsewhere: 6, source: 4 })
  const gone: string[] = []
  const enter = (name: string, label: string) =>
    room.enter(name === here.name ? here : host(name), () => gone.push(label))
  for (const label of ['a1', 'a2', 'a3', 'a4', 'a5']) enter('a', label)
  assert.equal(gone.splice(0), ['a1'])
  enter('b', 'b1')
  const c1 = enter('c', 'c1')
  enter('d', 'd1')
  assert.equal(gone.splice(0), ['a2'])
  room.leave(c1)
  room.leave(c1)
  enter('e', 'e1')
  assert.equal(gone.splice(0), [])
  for (const label of ['h1', 'h2', 'h3']) enter(here.name, label)
  assert.equal(gone.splice(0), ['h1'])
  for (const name of ['f', 'g', 'i']) enter(name, name)
  assert.equal(gone, ['a3', 'a4', 'a5'])
})

test.run()
