import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Allocation } from '../../tunnel/nat/turn/allocation.ts'
import { channelData, messageCutter, readChannelData } from '../../tunnel/nat/turn/channel-data.ts'
import { TurnError } from '../../tunnel/nat/turn/error.ts'
import { parseTurn, sendTo, turnRequest } from '../../tunnel/nat/turn/message.ts'
import { printable } from '../../tunnel/net/printable.ts'
import { seeded } from '../support/random.ts'

// What a TURN server, or somebody in its place, may send.

const test = suite('a hostile TURN server')
const rounds = 20_000
const peer = { address: '192.0.2.1', port: 4_000 }
const key = randomBytes(16)
const by = { username: 'someone', realm: Buffer.from('r'), nonce: Buffer.from('n'), key }

const samples = [
  turnRequest('allocate', { lifetimeSeconds: 600 }, by).message,
  turnRequest('createPermission', { peers: [peer, peer, peer] }, by).message,
  sendTo(peer, randomBytes(99)),
  channelData(0x4001, randomBytes(1_399), true),
]

test('messages that were changed in any way are read or refused, and nothing throws', () => {
  const random = seeded(1)
  for (let i = 0; i < rounds; i++) {
    const message = Buffer.from(samples[random.int(samples.length)]!)
    for (let changes = random.int(8); changes >= 0; changes--)
      message[random.int(message.length)] = random.int(256)
    const cut = message.subarray(0, random.int(message.length + 1))
    for (const each of [message, cut]) {
      parseTurn(each)?.authentic(key)
      const framed = readChannelData(each)
      if (framed) assert.ok(framed.datagram.length <= each.length - 4)
    }
  }
})

test('a stream is cut at the same places, however its bytes come', () => {
  const random = seeded(2)
  const stream = Buffer.concat(Array.from({ length: 200 }, (_, i) => samples[i % samples.length]!))
  for (let round = 0; round < 50; round++) {
    const messages: Buffer[] = []
    const cut = messageCutter(message => messages.push(Buffer.from(message)))
    for (let at = 0; at < stream.length; ) {
      const next = at + 1 + random.int(2_000)
      assert.ok(cut(stream.subarray(at, next)))
      at = next
    }
    assert.is(messages.length, 200)
    assert.equal(Buffer.concat(messages), stream)
  }
})

test('the largest message may come a byte at a time, among others', () => {
  const large = channelData(0x4000, randomBytes(65_535), true)
  // Copied anew with each byte it would be two gigabytes.
  const stream = Buffer.concat([samples[3]!, large, channelData(0x4002, Buffer.alloc(0), true), samples[0]!])
  const lengths: number[] = []
  const heard: Buffer[] = []
  const cut = messageCutter(message => {
    lengths.push(message.length)
    heard.push(Buffer.from(message))
  })
  for (let at = 0; at < stream.length; at++) assert.ok(cut(stream.subarray(at, at + 1)))
  assert.equal(lengths, [samples[3]!.length, large.length, 4, samples[0]!.length])
  assert.ok(Buffer.concat(heard).equals(stream))
})

test('noise on a stream is refused, and no more is kept than one message', () => {
  const random = seeded(3)
  for (let round = 0; round < 200; round++) {
    let kept = 0
    const cut = messageCutter(message => {
      kept -= message.length
    })
    for (let i = 0; i < 100; i++) {
      const chunk = Buffer.from(Array.from({ length: random.int(3_000) }, () => random.int(256)))
      kept += chunk.length
      if (!cut(chunk)) break
      assert.ok(kept <= 65_535 + 23 + 3_000, `${kept} bytes`)
    }
  }
})

/** A server on loopback that does this with each connection. */
async function serverThat(act: (socket: Socket) => void) {
  const server = createServer(socket => act(socket.on('error', () => {})))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  return { name: { host: '127.0.0.1', port, transport: 'tcp' as const }, close: () => server.close() }
}

const refusal = (transactionId: Buffer, code: number, nonce = '') => {
  const attribute = (type: number, value: Buffer) => {
    const head = Buffer.alloc(4)
    head.writeUInt16BE(type, 0)
    head.writeUInt16BE(value.length, 2)
    return Buffer.concat([head, value, Buffer.alloc(-value.length & 3)])
  }
  const reason = Buffer.from('\u001b[31mno\u202e')
  const body = Buffer.concat([
    attribute(0x0009, Buffer.concat([Buffer.of(0, 0, Math.floor(code / 100), code % 100), reason])),
    ...(nonce ? [attribute(0x0014, Buffer.from('realm')), attribute(0x0015, Buffer.from(nonce))] : []),
  ])
  const head = Buffer.alloc(8)
  head.writeUInt16BE(0x0113, 0)
  head.writeUInt16BE(body.length, 2)
  head.writeUInt32BE(0x2112a442, 4)
  return Buffer.concat([head, transactionId, body])
}

const credentials = { username: 'someone', password: 'hunter2' }

test('one that calls every nonce stale is given up, and its words are made fit for a terminal', async () => {
  let asked = 0
  const server = await serverThat(socket =>
    socket.on('data', chunk => {
      asked++
      socket.write(refusal((chunk as Buffer).subarray(8, 20), asked === 1 ? 401 : 438, `nonce ${asked}`))
    }),
  )
  const error = await Allocation.open(server.name, { credentials }).catch(error => error)
  server.close()
  assert.instance(error, TurnError)
  assert.is(error.code, 'E_TURN_CREDENTIALS')
  assert.ok(asked <= 3, `${asked} requests`)
  assert.is(error.message, printable(error.message))
  assert.not.match(error.message, 'hunter2')
})

test('a success that is not signed with the credentials is none', async () => {
  const server = await serverThat(socket =>
    socket.on('data', chunk => {
      const id = (chunk as Buffer).subarray(8, 20)
      // The first request is refused as usual; then somebody without the key grants it.
      const isFirst = (chunk as Buffer).length < 60
      const granted = Buffer.concat([Buffer.from('01030000', 'hex'), Buffer.from('2112a442', 'hex'), id])
      socket.write(isFirst ? refusal(id, 401, 'nonce') : granted)
    }),
  )
  const error = await Allocation.open(server.name, { credentials, limitMs: 500 }).catch(error => error)
  server.close()
  assert.is((error as TurnError).code, 'E_TURN_UNREACHABLE')
})

test('one that sends without end before it answers is not listened to for longer than the limit', async () => {
  const noise = sendTo(peer, randomBytes(1_000))
  const server = await serverThat(socket => {
    const timer = setInterval(() => socket.write(noise), 1)
    socket.on('close', () => clearInterval(timer))
  })
  const error = await Allocation.open(server.name, { credentials, limitMs: 300 }).catch(error => error)
  server.close()
  assert.is((error as TurnError).code, 'E_TURN_UNREACHABLE')
})

test.run()
