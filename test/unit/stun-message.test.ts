import { crc32 } from 'node:zlib'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { bindingRequest, checkRequest, checkResponse, parseStun } from '../../tunnel/nat/stun/message.ts'
import { seeded } from '../support/random.ts'

const test = suite('STUN messages')

/** The test vectors of RFC 5769, sections 2.1 and 2.2. */
const password = 'VOkJxbRl1RmTxUk/WvJxBt'
const transactionId = 'b7e7a701bc34d686fa87dfae'
const sampleRequest = Buffer.from(
  `000100582112a442${transactionId}` +
    '802200105354554e207465737420636c69656e74' +
    '002400046e0001ff' +
    '80290008932ff9b151263b36' +
    // The nine bytes of the name are padded with spaces, which count for the integrity but are not of the name.
    '000600096576746a3a68367659202020' +
    '000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2' +
    '80280004e57a3bcf',
  'hex',
)
const sampleResponse = Buffer.from(
  `0101003c2112a442${transactionId}` +
    '8022000b7465737420766563746f7220' +
    '002000080001a147e112a643' +
    '000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7' +
    '80280004c07d4c96',
  'hex',
)

test('the sample request of RFC 5769 is read, and authentic', () => {
  const message = parseStun(sampleRequest)!
  assert.is(message.kind, 'request')
  assert.is(message.transactionId, transactionId)
  assert.is(message.username, 'evtj:h6vY')
  assert.is(message.nominate, false)
  assert.ok(message.authentic(password))
})

test('the sample response of RFC 5769 is read, and authentic', () => {
  const message = parseStun(sampleResponse)!
  assert.is(message.kind, 'success')
  assert.is(message.transactionId, transactionId)
  assert.equal(message.mapped, { address: '192.0.2.1', port: 32853 })
  assert.ok(message.authentic(password))
})

test('another password, or any bit changed, is not authentic', () => {
  for (const sample of [sampleRequest, sampleResponse]) {
    assert.not(parseStun(sample)!.authentic(`${password}x`))
    assert.not(parseStun(sample)!.authentic(''))
    for (let bit = 0; bit < sample.length * 8; bit++) {
      const changed = Buffer.from(sample)
      changed[bit >> 3]! ^= 1 << (bit & 7)
      assert.not(parseStun(changed)?.authentic(password), `bit ${bit}`)
    }
  }
})

test('an attribute slipped in behind MESSAGE-INTEGRITY, where nothing protects it, is not authentic', () => {
  const useCandidate = Buffer.from('00250000', 'hex')
  const covered = Buffer.concat([sampleRequest.subarray(0, -8), useCandidate])
  covered.writeUInt16BE(covered.length + 8 - 20, 2)
  const fingerprint = Buffer.from('8028000400000000', 'hex')
  fingerprint.writeUInt32BE((crc32(covered) ^ 0x5354554e) >>> 0, 4)
  assert.not(parseStun(Buffer.concat([covered, fingerprint]))?.authentic(password))
})

test('a check says who asks, and nominates when it is to', () => {
  for (const nominate of [false, true])
    for (const controlling of [false, true]) {
      const check = checkRequest({
        priority: 1,
        username: 'them:us',
        password,
        controlling,
        tieBreaker: Buffer.alloc(8, 7),
        nominate,
      })
      const message = parseStun(check.datagram)!
      assert.is(message.kind, 'request')
      assert.is(message.transactionId, check.transactionId)
      assert.is(message.username, 'them:us')
      assert.is(message.nominate, nominate)
      assert.ok(message.authentic(password))
      assert.not(message.authentic('another password'))
    }
})

test('a response gives the source back, under the password of the check', () => {
  const mapped = { address: '203.0.113.77', port: 65535 }
  const message = parseStun(checkResponse(transactionId, mapped, password))!
  assert.is(message.kind, 'success')
  assert.is(message.transactionId, transactionId)
  assert.equal(message.mapped, mapped)
  assert.ok(message.authentic(password))
})

test('a plain request is not authentic under any password, and no two have the same transaction', () => {
  const ids = new Set<string>()
  for (let i = 0; i < 100; i++) {
    const { datagram, transactionId } = bindingRequest()
    ids.add(transactionId)
    assert.not(parseStun(datagram)!.authentic(''))
  }
  assert.is(ids.size, 100)
})

test('the datagram may be overwritten once it is read', () => {
  const lent = Buffer.from(sampleRequest)
  const message = parseStun(lent)!
  lent.fill(0)
  assert.is(message.username, 'evtj:h6vY')
  assert.ok(message.authentic(password))
})

test('what is cut short, has no cookie, or is no Binding message is not read', () => {
  for (let length = 0; length < sampleRequest.length; length++)
    assert.is(parseStun(sampleRequest.subarray(0, length)), undefined)
  for (const [offset, value] of [
    [4, 0],
    [0, 0x02],
    [1, 0x03],
    [1, 0x11],
  ] as const) {
    const changed = Buffer.from(sampleRequest)
    changed[offset] = value
    assert.is(parseStun(changed), undefined)
  }
})

test('of 20,000 random and mutated messages none is authentic and none throws', () => {
  const random = seeded(5)
  for (let i = 0; i < 20_000; i++) {
    const bytes = i % 2 === 0 ? Buffer.from(sampleRequest) : random.bytes(4 * random.int(40))
    if (i % 2 === 0)
      for (let n = 1 + random.int(4); n > 0; n--)
        bytes[20 + random.int(bytes.length - 20)]! ^= 1 + random.int(255)
    else if (bytes.length >= 20) {
      bytes.writeUInt16BE(random.chance(0.5) ? 0x0001 : 0x0101)
      bytes.writeUInt16BE(bytes.length - 20, 2)
      bytes.writeUInt32BE(0x2112a442, 4)
    }
    const message = parseStun(bytes)
    if (message && !bytes.equals(sampleRequest)) assert.not(message.authentic(password))
  }
})

test.run()
