import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { QuicStream } from '../../tunnel/quic/stream.ts'
import { encodePacket, type Packet } from '../../tunnel/session/frames/packet.ts'
import { openPacketChannel, type PacketChannel } from '../../tunnel/session/packet-channel.ts'
import { content } from '../lab/content.ts'
import { nextStream, type QuicPair, quicPair } from '../support/quic-pair.ts'
import { until } from '../support/until.ts'

interface Ends {
  near: PacketChannel
  far: PacketChannel
  stream: QuicStream
  /** What has arrived at the far end. */
  arrived: Packet[]
}

interface Context {
  pair: QuicPair
  /** A channel between the two ends. */
  open: () => Promise<Ends>
}

const test = suite<Context>('Packet channel')
const target = { host: '192.0.2.1', port: 53 }

test.before.each(async context => {
  context.pair = await quicPair()
  const { client, exit } = context.pair
  context.open = async () => {
    const stream = client.connection.open()
    const coming = nextStream(exit)
    // A stream exists for the other end with its first byte: here an empty packet's length.
    stream.write(Buffer.of(0, 0))
    const near = openPacketChannel(client.connection, stream)
    const far = openPacketChannel(exit.connection, await coming)
    const arrived: Packet[] = []
    far.onPacket = ({ target, data }) => arrived.push({ target, data: new Uint8Array(data) })
    return { near, far, stream, arrived }
  }
})
test.after.each(({ pair }) => pair.close())

test('packets of every size arrive as they were sent, in either direction', async ({ open }) => {
  const { near, far, arrived } = await open()
  const sizes = [0, 1, 1_000, 1_150, 1_300, 1_350, 1_500, 9_000, 65_000, 65_507]
  for (const size of sizes) assert.ok(near.send({ target, data: content(size) }), `${size} bytes`)
  await until(() => arrived.length === sizes.length, 'all packets')
  const sorted = arrived.sort((a, b) => a.data.length - b.data.length)
  assert.equal(
    sorted.map(({ data }) => data.length),
    sizes,
  )
  for (const { target: from, data } of sorted) {
    assert.equal(from, target)
    assert.ok(content(data.length).equals(data))
  }

  const back: number[] = []
  near.onPacket = ({ data }) => back.push(data.length)
  for (const size of sizes) assert.ok(far.send({ target, data: content(size) }))
  await until(() => back.length === sizes.length, 'all packets back')
})

test('what no packet can hold is lost at once', async ({ open }) => {
  const { near } = await open()
  assert.is(near.send({ target, data: new Uint8Array(65_536) }), false)
})

test('small packets go as datagrams, and touch no stream', async ({ open, pair }) => {
  const { near, stream, arrived } = await open()
  const write = stream.write.bind(stream)
  let written = 0
  stream.write = chunk => {
    written++
    return write(chunk)
  }
  const largest = pair.client.connection.maxDatagram() - 4 - encodePacket({ target, data: content(0) }).length
  near.send({ target, data: content(largest) })
  assert.is(written, 0)
  near.send({ target, data: content(largest + 1) })
  assert.is(written, 1)
  await until(() => arrived.length === 2, 'both')
})

test('associations of one connection are kept apart', async ({ open }) => {
  const all: Ends[] = []
  while (all.length < 20) all.push(await open())
  for (const [i, { near }] of all.entries())
    for (const size of [10, 5_000]) near.send({ target: { host: '192.0.2.1', port: i }, data: content(size) })
  await until(() => all.every(({ arrived }) => arrived.length === 2), 'two packets each')
  for (const [i, { arrived }] of all.entries()) for (const packet of arrived) assert.is(packet.target.port, i)
})

test('a malformed packet is lost, and only that one', async ({ open, pair }) => {
  const { near, stream, arrived } = await open()
  const id = Buffer.alloc(4)
  id.writeUInt32BE(stream.id)
  const strangers = [Buffer.of(1), Buffer.of(0xff, 0xff, 0xff, 0xff, 1, 2), Buffer.concat([id, Buffer.of(9)])]
  for (const datagram of strangers) assert.ok(pair.client.connection.sendDatagram(datagram))
  stream.write(Buffer.of(0, 3, 1, 2, 3))
  near.send({ target, data: content(10) })
  near.send({ target, data: content(3_000) })
  await until(() => arrived.length === 2, 'the two that are well-formed')
})

test('large packets wait for a slow peer up to a limit, and what is over it is lost', async ({
  open,
  pair,
}) => {
  const { near, arrived } = await open()
  // The peer is deaf for as long as this loop runs: nothing leaves in between.
  const packet = { target, data: content(60_000) }
  let sent = 0
  while (sent < 1_000 && near.send(packet)) sent++
  assert.ok(sent > 10 && sent < 200, `${sent} of 60 kB waited`)
  await until(() => arrived.length === sent, 'all that were not lost')
  assert.ok(arrived.every(({ data }) => packet.data.equals(data)))
  assert.ok(near.send(packet), 'there is room again')
  assert.ok(pair.client.connection.streams > 0)
})

test('who closes ends both ends, once', async ({ open, pair }) => {
  const { near, far, arrived } = await open()
  const ended: string[] = []
  near.onClose = () => ended.push('near')
  far.onClose = () => ended.push('far')
  near.close()
  await until(() => ended.length === 2, 'both ends')
  near.close()
  far.close()
  assert.equal(ended, ['near', 'far'])
  assert.is(near.send({ target, data: content(1) }), false)
  assert.is(arrived.length, 0)
  await until(() => pair.client.connection.streams + pair.exit.connection.streams === 0, 'no stream')
})

test('a lost connection ends the channel', async ({ open, pair }) => {
  const { near, far } = await open()
  const ended: string[] = []
  near.onClose = () => ended.push('near')
  far.onClose = () => ended.push('far')
  pair.exit.connection.close()
  await until(() => ended.length === 2, 'both ends')
  assert.is(near.send({ target, data: content(1) }), false)
})

test.run()
