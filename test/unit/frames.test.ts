import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  decodeTarget,
  encodeTarget,
  FrameError,
  type Target,
  targetLength,
} from '../../tunnel/session/frames/address.ts'
import {
  decodeReply,
  encodeReply,
  refusalReasons,
  reply,
  replyLength,
} from '../../tunnel/session/frames/reply.ts'
import { decodeRequest, encodeRequest, requestLength } from '../../tunnel/session/frames/request.ts'
import { seeded } from '../support/random.ts'

const test = suite('frames')

const isFrameError = (error: unknown) => error instanceof FrameError

const targets: Target[] = [
  { host: '192.0.2.1', port: 80 },
  { host: '0.0.0.0', port: 0 },
  { host: '255.255.255.255', port: 65535 },
  { host: '2001:db8::1', port: 443 },
  { host: '::', port: 1 },
  { host: '::1', port: 256 },
  { host: '2001:db8:1:2:3:4:5:6', port: 255 },
  { host: 'example.org', port: 8080 },
  { host: 'x', port: 1 },
  { host: 'bücher.example', port: 1 },
  { host: 'n'.repeat(255), port: 1 },
]

test('a target of every kind comes back as it went', () => {
  for (const target of targets) assert.equal(decodeTarget(encodeTarget(target)), target)
})

test('a target is encoded as SOCKS5 has it', () => {
  assert.equal([...encodeTarget({ host: '192.0.2.1', port: 0x1f90 })], [1, 192, 0, 2, 1, 0x1f, 0x90])
  assert.equal([...encodeTarget({ host: 'ab', port: 80 })], [3, 2, 97, 98, 0, 80])
  assert.equal([...encodeTarget({ host: '::1', port: 80 })], [4, ...new Array(15).fill(0), 1, 0, 80])
})

test('IPv6 in any spelling is the same address, and is written in the canonical one', () => {
  for (const host of ['2001:DB8:0:0:0:0:0:1', '2001:db8::0.0.0.1', '2001:0db8::1%eth0'])
    assert.is(decodeTarget(encodeTarget({ host, port: 1 })).host, '2001:db8::1')
  assert.is(decodeTarget(encodeTarget({ host: '::ffff:192.0.2.1', port: 1 })).host, '::ffff:c000:201')
})

test('a name of no bytes, or over 255, is no target', () => {
  for (const host of ['', 'n'.repeat(256), 'ü'.repeat(128)])
    assert.throws(() => encodeTarget({ host, port: 1 }), isFrameError)
})

test('a length is told as soon as the bytes tell it, and never more is asked for than the frame has', () => {
  for (const target of targets) {
    const bytes = encodeTarget(target)
    for (let have = 0; have < bytes.length; ) {
      const length = targetLength(bytes.subarray(0, have))
      assert.ok(length > have && length <= bytes.length)
      have = length
    }
    assert.is(targetLength(bytes), bytes.length)
  }
})

test('what is cut short, too long or of another type is refused', () => {
  for (const target of targets) {
    const bytes = encodeTarget(target)
    for (let length = 0; length < bytes.length; length++)
      assert.throws(() => decodeTarget(bytes.subarray(0, length)), isFrameError)
    assert.throws(() => decodeTarget(Buffer.concat([bytes, Buffer.of(0)])), isFrameError)
  }
  for (const type of [0, 2, 5, 255])
    assert.throws(() => decodeTarget(Buffer.of(type, 1, 1, 1, 1, 1, 1)), isFrameError)
})

test('a name that could forge a line of a log is refused', () => {
  for (const host of ['a\nb', 'a b', 'a\u0000', '\u0085', '\ttab'])
    assert.throws(() => decodeTarget(encodeTarget({ host, port: 1 })), isFrameError)
  assert.throws(() => decodeTarget(Buffer.of(3, 0, 0, 80)), isFrameError)
})

test('requests and replies come back as they went', () => {
  for (const target of targets) {
    const request = encodeRequest({ command: 'connect', target })
    assert.is(requestLength(request), request.length)
    assert.equal(decodeRequest(request), { command: 'connect', target })
    for (const code of Object.values(reply)) {
      const bytes = encodeReply({ code, bound: target })
      assert.is(replyLength(bytes), bytes.length)
      assert.equal(decodeReply(bytes), { code, bound: target })
    }
  }
})

test('a refusal says why in the byte that SOCKS5 reserves, and an unknown reason is none', () => {
  const bound = { host: '0.0.0.0', port: 0 }
  for (const [i, reason] of refusalReasons.entries()) {
    const bytes = encodeReply({ code: reply.notAllowed, reason, bound })
    assert.equal([...bytes], [2, i + 1, 1, 0, 0, 0, 0, 0, 0])
    assert.equal(decodeReply(bytes), { code: reply.notAllowed, reason, bound })
  }
  for (const reason of [0, refusalReasons.length + 1, 255])
    assert.equal(decodeReply(Buffer.of(2, reason, 1, 0, 0, 0, 0, 0, 0)), { code: reply.notAllowed, bound })
})

test('unknown commands and reply codes are refused', () => {
  const tail = encodeTarget({ host: '192.0.2.1', port: 80 })
  for (const command of [0, 2, 4, 255])
    assert.throws(() => decodeRequest(Buffer.concat([Buffer.of(command), tail])), isFrameError)
  for (const code of [9, 128, 255])
    assert.throws(() => decodeReply(Buffer.concat([Buffer.of(code, 0), tail])), isFrameError)
})

test('of 20,000 random inputs each is a frame or a FrameError', () => {
  const random = seeded(1)
  for (let i = 0; i < 20_000; i++) {
    const bytes = random.bytes(random.int(40))
    // Two in three have a type that exists.
    if (bytes.length > 1 && i % 3 > 0) bytes[i % 2] = [1, 3, 4][random.int(3)]!
    for (const read of [decodeTarget, decodeRequest, decodeReply, targetLength, requestLength, replyLength]) {
      try {
        read(bytes)
      } catch (error) {
        assert.instance(error, FrameError)
      }
    }
  }
})

test.run()
