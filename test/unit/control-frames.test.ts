import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { FrameError } from '../../tunnel/session/frames/address.ts'
import { ControlDecoder, type ControlMessage, encodeControl } from '../../tunnel/session/frames/control.ts'
import { seeded } from '../support/random.ts'

const test = suite('control frames')

const hello: ControlMessage = {
  type: 'hello',
  version: 1,
  region: 'eu-central-1',
  address: '192.0.2.1',
  remaining_ms: 600_000,
  memory_mb: 256,
  request_id: 'c6af9ac6-7b61-11e6-9a41-93e8deadbeef',
}
const messages: ControlMessage[] = [
  hello,
  { type: 'ping', id: 1 },
  { type: 'pong', id: 1 },
  { type: 'drain', remaining_ms: 10_000 },
  {
    type: 'broken',
    breaks: [
      { stream: 4, at: 0 },
      { stream: 8, at: Number.MAX_SAFE_INTEGER },
    ],
  },
  { type: 'bye' },
  { ...hello, engine: { name: 'quiche', version: '0.18.0' } },
  { type: 'welcome', engine: { name: 'native', version: '0.1.0' } },
]
const frame = (text: string) =>
  Buffer.concat([Buffer.of(text.length >> 8, text.length & 255), Buffer.from(text)])
const isFrameError = (error: unknown) => error instanceof FrameError

test('messages come back as they went, split anywhere', () => {
  const bytes = Buffer.concat(messages.map(encodeControl))
  for (let at = 0; at <= bytes.length; at++) {
    const decoder = new ControlDecoder()
    assert.equal([...decoder.push(bytes.subarray(0, at)), ...decoder.push(bytes.subarray(at))], messages)
  }
})

test('messages come back byte by byte, from a buffer that is used again', () => {
  const decoder = new ControlDecoder()
  const buffer = new Uint8Array(1)
  const got: ControlMessage[] = []
  for (const byte of Buffer.concat(messages.map(encodeControl))) {
    buffer[0] = byte
    got.push(...decoder.push(buffer))
  }
  assert.equal(got, messages)
})

test('fields of a later release are passed over', () => {
  const decoder = new ControlDecoder()
  assert.equal(decoder.push(frame('{"type":"ping","id":3,"new":true}')), [{ type: 'ping', id: 3 }])
})

test('a message of a later release is passed over, and what follows it is not', () => {
  const decoder = new ControlDecoder()
  const later = Buffer.concat([frame('{"type":"later","with":[1]}'), frame('{"type":"bye"}')])
  assert.equal(decoder.push(later), [{ type: 'bye' }])
})

test('what is no control message is refused', () => {
  for (const text of [
    '',
    'null',
    '[]',
    '{}',
    '{"type":7}',
    '{"type":"welcome"}',
    JSON.stringify({ ...hello, engine: 'quiche' }),
    JSON.stringify({ ...hello, engine: { name: '\u001b[2J', version: '1' } }),
    '{"type":"ping"}',
    '{"type":"ping","id":"1"}',
    '{"type":"drain","remaining_ms":-1}',
    JSON.stringify({ ...hello, region: 'r'.repeat(65) }),
    JSON.stringify({ ...hello, address: '\u001b[2J' }),
    JSON.stringify({ ...hello, remaining_ms: null }),
    '{"type":"ping","id":1',
  ])
    assert.throws(() => new ControlDecoder().push(frame(text)), isFrameError, text)
})

test('a length over 4,096 bytes is refused before the bytes arrive, and is not sent either', () => {
  assert.throws(() => new ControlDecoder().push(Buffer.of(0x10, 0x01)), isFrameError)
  assert.equal(new ControlDecoder().push(Buffer.of(0x10, 0x00)), [])
  assert.throws(() => encodeControl({ ...hello, region: 'r'.repeat(4096) }), isFrameError)
})

test('of 5,000 random inputs each waits for more or is a FrameError', () => {
  const random = seeded(2)
  for (let i = 0; i < 5_000; i++) {
    const bytes = random.bytes(random.int(60))
    if (bytes.length > 1 && i % 2 === 0) bytes.writeUInt16BE(random.int(50))
    try {
      assert.equal(new ControlDecoder().push(bytes), [])
    } catch (error) {
      assert.instance(error, FrameError)
    }
  }
})

test.run()
