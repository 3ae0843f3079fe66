import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { StreamIds } from '../../tunnel/quic/engines/quiche/stream-ids.ts'
import { seeded } from '../support/random.ts'

const test = suite('stream ids')

test('each end opens ids of its own kind, in order', () => {
  const [client, server] = [new StreamIds('client'), new StreamIds('server')]
  assert.equal([client.next(), client.next(), client.next()], [0, 4, 8])
  assert.equal([server.next(), server.next(), server.next()], [1, 5, 9])
})

test("an id of the peer's is new once, in whatever order ids arrive", () => {
  const random = seeded(7)
  const ids = new StreamIds('server')
  const peers = Array.from({ length: 1_000 }, (_, i) => i * 4).sort(() => random.int(3) - 1)
  for (const id of peers) assert.ok(ids.isNew(id))
  for (const id of peers) assert.not(ids.isNew(id))
  assert.ok(ids.isNew(4_000))
})

test('ids of our own, and of one-way streams, are never new', () => {
  for (const id of [0, 4, 2, 3, 6, 7]) assert.not(new StreamIds('client').isNew(id))
  for (const id of [1, 5, 2, 3, 6, 7]) assert.not(new StreamIds('server').isNew(id))
})

test.run()
