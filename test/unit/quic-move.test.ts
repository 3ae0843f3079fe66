import { createHash, randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Endpoint } from '../../tunnel/net/endpoint.ts'
import { closeAfterEach } from '../support/close-after-each.ts'
import { enginePairs } from '../support/engines.ts'
import { exchange, nextStream, type PairOptions, quicPair } from '../support/quic-pair.ts'
import { openUdpPath } from '../support/udp-path.ts'
import { until } from '../support/until.ts'

// Both ends go over to another path in the middle of a transfer, as from a relay to a direct one.

const test = suite('a connection whose peer moves')
const later = closeAfterEach(test)
const size = 8_000_000
const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** A pair on one path, and a second path between the same two sockets. */
async function onTwoPaths(options: PairOptions) {
  const pair = later(await quicPair({ ...options, withPath: true, mayMove: true }))
  const second = later(await openUdpPath({ client: pair.client.socket.local, exit: pair.exit.socket.local }))
  return { ...pair, first: pair.path!, second }
}

for (const { name, engines } of await enginePairs()) {
  test(`${name}: no byte is lost either way, and the first path is no longer needed`, async () => {
    const { client, exit, first, second } = await onTwoPaths({ engines })
    const counts = { first: 0, second: 0 }
    first.passes = () => ++counts.first > 0
    second.passes = () => ++counts.second > 0
    const opened = nextStream(client)
    const [up, down] = [randomBytes(size), randomBytes(size)]
    const atExit = exchange(exit.connection.open(), up)
    const atClient = exchange(await opened, down)
    await until(() => counts.first > 200, 'the transfer to be under way')
    // The exit is told first: for a while what it sends comes the new way, and what it hears the old one.
    exit.connection.moveTo(second.peerOf.exit)
    await until(() => counts.second > 0, 'the second path to be used')
    client.connection.moveTo(second.peerOf.client)
    first.passes = () => false
    assert.equal([(await atClient).hash, (await atExit).hash], [digest(up), digest(down)])
    assert.ok(counts.second > 200)
  })

  test(`${name}: what is not QUIC is told with its source, whoever sent it`, async () => {
    const told: { text: string; from: Endpoint }[] = []
    const { client } = await onTwoPaths({
      engines,
      onPacket: (packet, from) => told.push({ text: Buffer.from(packet.subarray(1)).toString(), from }),
    })
    const stranger = createSocket('udp4').bind(0, '127.0.0.1')
    later(stranger)
    await once(stranger, 'listening')
    const { address, port } = stranger.address()
    await until(() => {
      stranger.send('\x01check', client.socket.local.port, '127.0.0.1')
      return told.length > 0
    }, 'the check to be told')
    assert.equal(told[0], { text: 'check', from: { address, port } })
  })
}

test.run()
