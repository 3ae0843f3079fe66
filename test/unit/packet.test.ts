import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { FrameError } from '../../tunnel/session/frames/address.ts'
import { decodePacket, encodePacket } from '../../tunnel/session/frames/packet.ts'
import { seeded } from '../support/random.ts'

const test = suite('Packet frames')
const isFrameError = (error: Error) => error instanceof FrameError
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

test('a packet is a SOCKS5 UDP request without its first three bytes', () => {
  const data = Buffer.from('data')
  assert.is(
    hex(encodePacket({ target: { host: '192.0.2.1', port: 53 }, data })),
    `01c00002010035${hex(data)}`,
  )
  assert.is(
    hex(encodePacket({ target: { host: 'a.example', port: 443 }, data })),
    `0309${hex(Buffer.from('a.example'))}01bb${hex(data)}`,
  )
  assert.is(
    hex(encodePacket({ target: { host: '2001:db8::1', port: 1 }, data })),
    `0420010db80000000000000000000000010001${hex(data)}`,
  )
})

test('every packet is read as it was written, empty and large ones too', () => {
  for (const host of ['192.0.2.1', '2001:db8::1', 'a.example', 'x'.repeat(255)])
    for (const length of [0, 1, 1_200, 65_507]) {
      const target = { host, port: 65_535 }
      const data = Buffer.alloc(length, 7)
      const packet = decodePacket(encodePacket({ target, data }))
      assert.equal(packet.target, target)
      assert.ok(data.equals(packet.data), `${host}, ${length} bytes`)
    }
})

test('a packet that is cut off within its address is none, and says so', () => {
  for (const host of ['192.0.2.1', '2001:db8::1', 'a.example']) {
    const bytes = encodePacket({ target: { host, port: 80 }, data: Buffer.alloc(0) })
    for (let length = 0; length < bytes.length; length++)
      assert.throws(() => decodePacket(bytes.subarray(0, length)), isFrameError, `${host} at ${length}`)
  }
})

test('names that no host has are refused', () => {
  for (const name of ['', 'a b', 'a\nb', 'a\0b']) {
    const bytes = Buffer.concat([Buffer.of(3, name.length), Buffer.from(name), Buffer.of(0, 80)])
    assert.throws(() => decodePacket(bytes), isFrameError, JSON.stringify(name))
  }
})

test('random bytes make a packet or a FrameError, nothing else', () => {
  const random = seeded(7)
  for (let i = 0; i < 20_000; i++) {
    const bytes = random.bytes(random.int(40))
    if (bytes.length > 0) bytes[0] = random.int(6)
    try {
      decodePacket(bytes)
    } catch (error) {
      assert.instance(error, FrameError, hex(bytes))
    }
  }
})

test.run()
