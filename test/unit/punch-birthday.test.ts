import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  birthdayAfterMs,
  birthdayChecks,
  birthdayMs,
  birthdayPart,
  createSpray,
  hardSockets,
  hitProbability,
} from '../../tunnel/nat/ice/birthday.ts'
import { CheckList } from '../../tunnel/nat/ice/check-list.ts'
import { newIceCredentials } from '../../tunnel/nat/ice/credentials.ts'
import { checkRequest, checkResponse, parseStun } from '../../tunnel/nat/stun/message.ts'
import { seeded } from '../support/random.ts'
import { type Nat, type SimulatedNetwork, simulateNetwork } from '../support/simulated-network.ts'

const test = suite('hard NATs')

const limitMs = 10_000
const peer = { address: '192.0.2.1', port: 50_000 }
const nats: Nat[] = ['full-cone', 'address-restricted', 'port-restricted', 'symmetric']
const hardPair = (a: Nat, b: Nat) => a !== b && [a, b].every(nat => /symmetric|port-restricted/.test(nat))
const sprayed = ({ lists }: SimulatedNetwork) => [lists.client.stats.sprayed, lists.function.stats.sprayed]

/** All that a side sends in this mode, with its time. */
function all(part: 'open' | 'probe', seed = 1): { address: string; port: number; via: number; at: number }[] {
  const spray = createSpray(part, peer, 0, seeded(seed).next)
  const sent = []
  for (let now = 0; now < Number.POSITIVE_INFINITY; now = spray.nextAt())
    for (const route of spray.take(now)) sent.push({ ...route, at: now })
  return sent
}

for (const client of nats)
  for (const fn of nats) {
    const both = client === 'symmetric' && fn === 'symmetric'
    const hard = hardPair(client, fn)
    test(`${client} × ${fn}: ${both ? 'no path' : hard ? 'meets by chance' : 'never leaves ordinary checks'}`, () => {
      const network = simulateNetwork({ client, function: fn, birthday: true })
      network.run(limitMs)
      assert.is(network.agreed(), !both)
      if (hard) {
        for (const count of sprayed(network)) assert.ok(count > 0 && count <= birthdayChecks, `${count}`)
      } else assert.equal(sprayed(network), [0, 0])
      if (!hard && !both) assert.ok(network.sent.length < 60, `${network.sent.length} datagrams`)
    })
  }

test('the parts go to exactly one hard side and one that is not known to be', () => {
  assert.is(birthdayPart('address-dependent', 'endpoint-independent'), 'open')
  assert.is(birthdayPart('endpoint-independent', 'address-dependent'), 'probe')
  assert.is(birthdayPart('address-dependent', 'unknown'), 'open')
  assert.is(birthdayPart('unknown', 'address-dependent'), 'probe')
  assert.is(birthdayPart('address-dependent', 'address-dependent'), undefined)
  assert.is(birthdayPart('endpoint-independent', 'endpoint-independent'), undefined)
  assert.is(birthdayPart('unknown', 'unknown'), undefined)
})

test('a thousand draws hit as often as the stated probability says', () => {
  const draws = 1_000
  const random = seeded(7)
  for (const [sockets, probes] of [
    [256, 256],
    [64, 512],
    [128, 128],
  ] as const) {
    let hits = 0
    for (let draw = 0; draw < draws; draw++) {
      const open = new Set<number>()
      while (open.size < sockets) open.add(1_024 + random.int(64_512))
      const spray = createSpray('probe', peer, 0, random.next)
      const ports: number[] = []
      while (ports.length < probes) ports.push(...spray.take(birthdayMs).map(({ port }) => port))
      if (ports.slice(0, probes).some(port => open.has(port))) hits++
    }
    const expected = hitProbability(sockets, probes)
    const deviation = Math.sqrt((expected * (1 - expected)) / draws)
    assert.ok(Math.abs(hits / draws - expected) < 4 * deviation, `${hits / draws}, stated ${expected}`)
  }
  assert.ok(hitProbability() > 0.9997 && hitProbability() < 1)
})

test('two hundred hard pairs: half are through when the probability says so, and all in the end', () => {
  const runs = 200
  // Both sides' sprays have begun, all sockets are open, and this many probes have arrived at the other side.
  const probes = 320
  const latencyMs = 20
  const early = birthdayAfterMs.controlled + (probes * birthdayMs) / birthdayChecks + latencyMs
  const expected = hitProbability(hardSockets, probes)
  let through = 0
  let connected = 0
  for (let seed = 0; seed < runs; seed++) {
    const network = simulateNetwork({
      client: 'symmetric',
      function: 'port-restricted',
      birthday: true,
      latencyMs,
      seed,
    })
    network.run(early)
    if (network.lists.client.stats.checksReceived > 0) through++
    network.run(limitMs)
    if (network.agreed()) connected++
  }
  const deviation = Math.sqrt((expected * (1 - expected)) / runs)
  assert.ok(Math.abs(through / runs - expected) < 4 * deviation, `${through / runs}, stated ${expected}`)
  assert.ok(connected >= runs - 2, `${connected} of ${runs}`)
})

test('with a tenth of all datagrams lost, fifty hard pairs still meet', () => {
  let connected = 0
  for (let seed = 0; seed < 50; seed++) {
    const [client, fn] =
      seed % 2 ? (['symmetric', 'port-restricted'] as const) : (['port-restricted', 'symmetric'] as const)
    const network = simulateNetwork({ client, function: fn, birthday: true, loss: 0.1, seed })
    network.run(limitMs)
    if (network.agreed()) connected++
  }
  assert.ok(connected >= 49, `${connected} of 50`)
})

test('the side that opens goes round its sockets, and keeps to its packets and seconds', () => {
  const sent = all('open')
  assert.is(sent.length, birthdayChecks)
  assert.is(new Set(sent.map(({ via }) => via)).size, hardSockets)
  assert.ok(sent.every(({ address, port }) => address === peer.address && port === peer.port))
  assert.ok(sent.at(-1)!.at <= birthdayMs)
})

test('the side that probes tries no port twice and none below 1024, the same ones from the same seed', () => {
  const sent = all('probe')
  assert.is(new Set(sent.map(({ port }) => port)).size, birthdayChecks)
  assert.ok(sent.every(({ port, via, address }) => port >= 1_024 && port <= 65_535 && via === 0 && address))
  assert.ok(sent.at(-1)!.at <= birthdayMs)
  assert.equal(sent, all('probe'))
  assert.is.not(all('probe', 2)[0]?.port, sent[0]?.port)
})

test('after a pause what is due goes out in small pieces', () => {
  const spray = createSpray('open', peer, 0)
  assert.ok(spray.take(birthdayMs).length <= 16)
  assert.ok(spray.nextAt() <= birthdayMs)
})

/** A list that is in the middle of its probes, and the checks it has sent. */
function probing() {
  const [local, remote] = [newIceCredentials(), newIceCredentials()]
  const list = new CheckList(
    { local, remote, candidates: [peer], controlling: true, birthday: 'probe', random: seeded(5).next },
    0,
  )
  const sent = []
  for (let now = 0; now < 2_000; now = list.nextAt()) sent.push(...list.poll(now))
  return { list, local, remote, sent, probes: sent.filter(({ to }) => to.port !== peer.port) }
}

test('an answer to a probe counts only from where it was sent to, to the socket it was sent by, under the password', () => {
  const { list, local, remote, probes } = probing()
  assert.ok(probes.length > 100)
  const { datagram, to } = probes[0]!
  const answer = (password: string) => checkResponse(parseStun(datagram)!.transactionId, to, password)
  list.receive(answer(remote.password), { ...to, port: to.port ^ 1 }, 2_000)
  list.receive(answer(remote.password), { ...to, address: '203.0.113.66' }, 2_000)
  list.receive(answer(remote.password), to, 2_000, 1)
  list.receive(answer(local.password), to, 2_000)
  assert.is(list.stats.responsesReceived, 0)
  assert.is(list.stats.forged, 1)
  list.receive(answer(remote.password), to, 2_000)
  assert.is(list.stats.responsesReceived, 1)
  // From here on there is a pair to work on, and no more probes.
  const before = list.stats.sprayed
  for (let now = 2_000; now < 3_000; now = list.nextAt()) list.poll(now)
  assert.is(list.stats.sprayed, before)
})

test('the answer to the first of all probes is still known after the last', () => {
  const { list, remote, probes } = probing()
  for (let now = 2_000; now < birthdayAfterMs.controlling + birthdayMs; now = list.nextAt()) list.poll(now)
  assert.is(list.stats.sprayed, birthdayChecks)
  const { datagram, to } = probes[0]!
  list.receive(checkResponse(parseStun(datagram)!.transactionId, to, remote.password), to, 6_000)
  assert.is(list.stats.responsesReceived, 1)
})

test('checks replayed from a thousand sources to many sockets make no more than 16 candidates', () => {
  const { list, local, remote } = probing()
  const { datagram } = checkRequest({
    priority: 1,
    username: `${local.ufrag}:${remote.ufrag}`,
    password: local.password,
    controlling: false,
    tieBreaker: Buffer.alloc(8),
    nominate: false,
  })
  for (let port = 1; port <= 1_000; port++)
    list.receive(datagram, { address: '203.0.113.66', port }, 2_000, port % hardSockets)
  assert.is(list.stats.peerReflexive, 15)
  assert.is(list.nominated, undefined)
})

test.run()
