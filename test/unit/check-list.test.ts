import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CheckList, maxChecks } from '../../tunnel/nat/ice/check-list.ts'
import { newIceCredentials } from '../../tunnel/nat/ice/credentials.ts'
import { checkRequest, checkResponse, parseStun } from '../../tunnel/nat/stun/message.ts'
import type { Endpoint } from '../../tunnel/net/endpoint.ts'
import { type Nat, type SimulatedNetwork, simulateNetwork } from '../support/simulated-network.ts'

const test = suite('connectivity checks')

const limitMs = 10_000
const stranger: Endpoint = { address: '203.0.113.66', port: 6666 }

const isRequest = (datagram: Uint8Array) => parseStun(datagram)?.kind === 'request'
const nominates = (datagram: Uint8Array) => parseStun(datagram)?.nominate === true
const isSuccess = (datagram: Uint8Array) => parseStun(datagram)?.kind === 'success'

const connected = ({ lists }: SimulatedNetwork) =>
  lists.client.nominated !== undefined && lists.function.nominated !== undefined

const nats: Nat[] = ['full-cone', 'address-restricted', 'port-restricted', 'symmetric']
/** The pairs that no ordinary checks get through: the port that a symmetric NAT takes is not to be known. */
const hopeless = (a: Nat, b: Nat) =>
  [a, b].includes('symmetric') && [a, b].every(nat => nat === 'symmetric' || nat === 'port-restricted')

for (const client of nats)
  for (const fn of nats)
    test(`${client} × ${fn}: ${hopeless(client, fn) ? 'no path, and none is claimed' : 'both ends agree on a pair that works'}`, () => {
      const network = simulateNetwork({ client, function: fn })
      const ms = network.run(limitMs)
      if (hopeless(client, fn)) {
        assert.is(ms, limitMs)
        assert.is(network.lists.client.nominated, undefined)
        assert.is(network.lists.function.nominated, undefined)
      } else {
        assert.ok(network.agreed())
        const { lists } = network
        assert.equal([lists.client.rttMs, lists.function.rttMs], [40, 40], 'the round trip')
        // A few round trips of 40 ms, and few packets: no storm.
        assert.ok(ms <= 200, `${ms} ms`)
        assert.ok(network.sent.length < 60, `${network.sent.length} datagrams`)
      }
    })

test('a symmetric side is learnt as peer-reflexive', () => {
  const network = simulateNetwork({ client: 'symmetric', function: 'address-restricted' })
  network.run(limitMs)
  assert.is(network.lists.function.stats.peerReflexive, 1)
})

test('with half of all datagrams lost, two hundred pairs of ends agree', () => {
  for (let seed = 0; seed < 200; seed++) {
    const network = simulateNetwork({
      client: 'port-restricted',
      function: 'port-restricted',
      loss: 0.5,
      seed,
    })
    network.run(limitMs)
    assert.ok(network.agreed(), `seed ${seed}`)
  }
})

test('with loss and a symmetric side, two hundred pairs of ends agree', () => {
  for (let seed = 0; seed < 200; seed++) {
    const [client, fn] =
      seed % 2 ? (['symmetric', 'full-cone'] as const) : (['full-cone', 'symmetric'] as const)
    const network = simulateNetwork({ client, function: fn, loss: 0.3, seed })
    network.run(limitMs)
    assert.ok(network.agreed(), `seed ${seed}`)
  }
})

test('a nomination that is lost is sent again', () => {
  let lost = 0
  const network = simulateNetwork({
    client: 'port-restricted',
    function: 'port-restricted',
    drop: datagram => nominates(datagram) && ++lost <= 5,
  })
  network.run(limitMs)
  assert.ok(network.agreed())
  assert.ok(lost > 5)
})

test("where every answer to the nomination is lost, the function's first QUIC packet tells the client", () => {
  const nominations = new Set<string>()
  const network = simulateNetwork({
    client: 'port-restricted',
    function: 'port-restricted',
    drop(datagram, from) {
      const message = parseStun(datagram)
      if (message && from === 'client' && message.nominate) nominations.add(message.transactionId)
      return message?.kind === 'success' && nominations.has(message.transactionId)
    },
  })
  network.run(limitMs)
  assert.ok(network.agreed())
})

test('one direction dead: nothing is nominated on either end', () => {
  for (const dead of ['client', 'function'] as const) {
    const network = simulateNetwork({
      client: 'full-cone',
      function: 'full-cone',
      drop: (_, from) => from === dead,
    })
    assert.is(network.run(limitMs), limitMs)
    assert.not(connected(network))
  }
})

test('the late checks of the other side are answered after nomination', () => {
  const network = simulateNetwork({ client: 'full-cone', function: 'full-cone' })
  network.run(limitMs)
  const late = network.sent.find(({ side, datagram }) => side === 'client' && isRequest(datagram))!
  const [response, ...others] = network.inject(late.datagram, late.from, 'function')
  assert.ok(response && isSuccess(response))
  assert.is(others.length, 0)
})

test('replayed from elsewhere, every message of a session nominates nobody else', () => {
  const recorded = (() => {
    const network = simulateNetwork({ client: 'full-cone', function: 'full-cone', drop: isSuccess })
    network.run(1_000)
    return network
  })()
  // The very lists that made these messages hear them again, from a stranger, twice over.
  for (let i = 0; i < 2; i++)
    for (const { datagram, side } of [...recorded.sent])
      recorded.inject(datagram, stranger, side === 'client' ? 'function' : 'client')
  assert.not(connected(recorded))
})

test('a response that comes from another address than was asked does not count', () => {
  const network = simulateNetwork({ client: 'full-cone', function: 'full-cone', drop: isSuccess })
  network.run(500)
  const responses = network.sent.filter(({ datagram }) => isSuccess(datagram))
  assert.ok(responses.length > 10)
  for (const { datagram, side } of responses)
    network.inject(datagram, stranger, side === 'client' ? 'function' : 'client')
  assert.is(network.lists.client.stats.responsesReceived, 0)
  assert.is(network.lists.function.stats.responsesReceived, 0)
})

test('checks and responses under another password are counted as forged, and get no answer', () => {
  const [local, remote] = [newIceCredentials(), newIceCredentials()]
  const peer = { address: '198.51.100.1', port: 1 }
  for (const controlling of [true, false]) {
    const list = new CheckList({ local, remote, candidates: [peer], controlling }, 0)
    const [check] = list.poll(0)
    const forged = checkRequest({
      priority: 1,
      username: `${local.ufrag}:${remote.ufrag}`,
      password: remote.password,
      controlling: !controlling,
      tieBreaker: Buffer.alloc(8),
      nominate: true,
    })
    assert.equal(list.receive(forged.datagram, peer, 0), [])
    const { transactionId } = parseStun(check!.datagram)!
    assert.equal(list.receive(checkResponse(transactionId, peer, local.password), peer, 0), [])
    assert.is(list.stats.forged, 2)
    assert.is(list.nominated, undefined)
    assert.not(list.confirm(peer))
  }
})

test('a check for another session is not answered, even under the right password', () => {
  const [local, remote] = [newIceCredentials(), newIceCredentials()]
  const list = new CheckList({ local, remote, candidates: [], controlling: false }, 0)
  for (const username of [
    `${remote.ufrag}:${local.ufrag}`,
    local.ufrag,
    `${local.ufrag}:${remote.ufrag}x`,
    '',
  ]) {
    const { datagram } = checkRequest({
      priority: 1,
      username,
      password: local.password,
      controlling: true,
      tieBreaker: Buffer.alloc(8),
      nominate: true,
    })
    assert.equal(list.receive(datagram, stranger, 0), [])
  }
  assert.is(list.stats.forged, 4)
})

test('authentic checks from a thousand sources make no more than 16 candidates', () => {
  const [local, remote] = [newIceCredentials(), newIceCredentials()]
  const list = new CheckList({ local, remote, candidates: [stranger], controlling: false }, 0)
  for (let port = 1; port <= 1_000; port++) {
    const { datagram } = checkRequest({
      priority: 1,
      username: `${local.ufrag}:${remote.ufrag}`,
      password: local.password,
      controlling: true,
      tieBreaker: Buffer.alloc(8),
      nominate: true,
    })
    list.receive(datagram, { address: '198.51.100.1', port }, 0)
  }
  assert.is(list.poll(1_000).length, 16)
  assert.is(list.stats.peerReflexive, 15)
})

test('checks start at once, slow down, and never stop by themselves', () => {
  const options = {
    local: newIceCredentials(),
    remote: newIceCredentials(),
    candidates: [stranger],
    controlling: true,
  }
  const list = new CheckList(options, 0)
  let sent = 0
  for (let now = 0; now < limitMs; now = list.nextAt()) {
    assert.ok(list.nextAt() <= now + 50)
    sent += list.poll(now).length
  }
  assert.ok(sent > 200 && sent < 300, `${sent} checks`)
})

const alone = (options: { birthday?: 'open' | 'probe'; admits?: (address: string) => boolean } = {}) => {
  const [local, remote] = [newIceCredentials(), newIceCredentials()]
  const candidates = Array.from({ length: 8 }, (_, i) => ({ address: '203.0.113.9', port: 1_000 + i }))
  return {
    local,
    remote,
    list: new CheckList({ local, remote, candidates, controlling: false, ...options }, 0),
  }
}

test('a peer that is not there gets so many checks, and then there is nothing left to do', () => {
  for (const birthday of [undefined, 'probe', 'open'] as const) {
    const { list } = alone({ ...(birthday && { birthday }) })
    let sent = 0
    for (let now = 0; now < 120_000 && list.nextAt() < Number.POSITIVE_INFINITY; now = list.nextAt())
      sent += list.poll(now).length
    assert.is(sent, list.stats.checksSent)
    assert.ok(sent >= maxChecks && sent < maxChecks + 32, `${sent} checks`)
    assert.equal(list.poll(1e9), [])
  }
})

test('an authentic check from an address that is no peer’s is not answered, nor is it learnt', () => {
  const { list, local, remote } = alone({ admits: address => address !== '169.254.169.254' })
  const check = checkRequest({
    priority: 1,
    username: `${local.ufrag}:${remote.ufrag}`,
    password: local.password,
    controlling: true,
    tieBreaker: Buffer.alloc(8),
    nominate: true,
  }).datagram
  assert.equal(list.receive(check, { address: '169.254.169.254', port: 80 }, 1), [])
  assert.equal([list.stats.forged, list.stats.peerReflexive, list.stats.checksReceived], [1, 0, 0])
  assert.is(list.receive(check, stranger, 1).length, 2)
})

test.run()
