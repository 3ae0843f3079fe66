import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  DocumentError,
  type DocumentErrorCode,
  newSessionId,
  parseAnswer,
  parseOffer,
} from '../../tunnel/signalling/documents.ts'
import { offerKey, sessionIdOfOfferKey } from '../../tunnel/signalling/keys.ts'
import { anAnswer, anOffer } from '../support/documents.ts'
import { seeded } from '../support/random.ts'

const test = suite('offer and answer')

/** The error's message, where `read` must fail with a DocumentError. */
function complaint(read: () => unknown): string {
  try {
    read()
  } catch (error) {
    assert.instance(error, DocumentError)
    return (error as Error).message
  }
  throw new Error('it was taken')
}

test('offers, answers and refusals come back as they went', () => {
  const offer = anOffer()
  assert.equal(parseOffer(JSON.stringify(offer)), offer)
  const answer = anAnswer()
  assert.equal(parseAnswer(JSON.stringify(answer)), answer)
  const refusal = { version: 1, session_id: newSessionId(), code: 'E_OFFER_EXPIRED', refused: 'too old' }
  assert.equal(parseAnswer(JSON.stringify(refusal)), refusal)
})

test('fields of a later release of this version are passed over', () => {
  const offer = anOffer()
  assert.equal(parseOffer(JSON.stringify({ ...offer, region: 'x' })), offer)
})

test('a field that is wrong is named', () => {
  const wrong: Record<string, unknown[]> = {
    session_id: ['short', 'A'.repeat(20), '../../../etc/passwd', 7, null, undefined],
    client_ip: ['300.1.1.1', '::1', 'example.org', '192.0.2.1\n', 1, undefined],
    client_port: [0, 65536, 1.5, '80', null],
    timestamp: ['now', -1, 1.5, {}],
    candidates: [[], 'x', null, {}],
    mapping: ['symmetric', '', null, undefined],
    ice_ufrag: ['abc', 'a'.repeat(33), 'with space', 5],
    ice_password: ['short', 'a'.repeat(65), 'a'.repeat(21), ['a'.repeat(22)]],
    certificate_sha256: ['ab', 'AB'.repeat(32), 'zz'.repeat(32), 64],
    dns: ['dns.example', 'http://dns.example/', '', `https://${'x'.repeat(250)}.example/`, 53],
  }
  for (const [field, values] of Object.entries(wrong))
    for (const value of values) {
      const message = complaint(() => parseOffer(JSON.stringify({ ...anOffer(), [field]: value })))
      assert.match(message, `the offer's ${field}`)
    }
})

test('a field that is wrong deep inside is named with its place', () => {
  const candidate = { type: 'srflx', address: '192.0.2.1', port: 1 } as const
  const text = JSON.stringify(anOffer({ candidates: [candidate, { ...candidate, port: 70_000 }] }))
  assert.match(
    complaint(() => parseOffer(text)),
    "the offer's candidates.1.port",
  )
})

test('a priority is one that fits into 31 bits', () => {
  const offer = (priority: number) =>
    JSON.stringify(anOffer({ candidates: [{ type: 'srflx', address: '192.0.2.1', port: 1, priority }] }))
  for (const priority of [0, 1.5, 2 ** 31])
    assert.match(
      complaint(() => parseOffer(offer(priority))),
      'priority',
    )
  for (const priority of [1, 2 ** 31 - 1]) parseOffer(offer(priority))
})

test('more candidates than eight are refused', () => {
  const candidates = new Array(9).fill({ type: 'srflx', address: '192.0.2.1', port: 1 })
  assert.match(
    complaint(() => parseOffer(JSON.stringify(anOffer({ candidates })))),
    'candidates',
  )
})

test('another version says which end is to be updated', () => {
  for (const version of [0, 2, '1', null]) {
    const message = complaint(() => parseOffer(JSON.stringify({ ...anOffer(), version })))
    assert.match(message, `is version ${version}, this end speaks 1`)
    assert.match(message, 'update')
  }
})

test('what is wrong is told by its code', () => {
  for (const [text, code] of [
    ['{', 'E_DOCUMENT_MALFORMED'],
    [JSON.stringify({ ...anOffer(), version: 2 }), 'E_DOCUMENT_VERSION'],
    [JSON.stringify({ ...anOffer(), client_port: 'x' }), 'E_DOCUMENT_INVALID'],
  ] as [string, DocumentErrorCode][])
    assert.throws(
      () => parseOffer(text),
      (error: unknown) => error instanceof DocumentError && error.code === code,
    )
})

test("an answer's own fields are checked, and so is a refusal", () => {
  for (const [field, value] of [
    ['function_ip', '10.0.0'],
    ['function_port', -1],
    ['started_at', 'x'],
    ['cold', 'yes'],
    ['stun_views', new Array(9).fill({ server: 's', address: '192.0.2.1', port: 1, rtt_ms: 1 })],
  ] as const)
    assert.match(
      complaint(() => parseAnswer(JSON.stringify({ ...anAnswer(), [field]: value }))),
      `the answer's ${field}`,
    )
  const refusal = { version: 1, session_id: newSessionId(), code: 'E_EXIT_FAILED', refused: 'x' }
  for (const [field, value] of [
    ['refused', 'x'.repeat(501)],
    ['code', 'refused'],
    ['code', 'AN_E_CODE'],
    ['code', 'E_CODE\n'],
    ['code', undefined],
  ] as const)
    assert.match(
      complaint(() => parseAnswer(JSON.stringify({ ...refusal, [field]: value }))),
      `the answer's ${field}`,
    )
})

test('a document over 8 KiB is refused unread, and a huge field is not repeated in the message', () => {
  assert.match(
    complaint(() => parseOffer(`"${'x'.repeat(9000)}"`)),
    'larger than 8192 bytes',
  )
  assert.match(
    complaint(() => parseOffer(`"${'ü'.repeat(4096)}"`)),
    'larger than 8192 bytes',
  )
  const message = complaint(() => parseOffer(JSON.stringify({ ...anOffer(), version: 'x'.repeat(7000) })))
  assert.ok(message.length < 400, `${message.length} characters`)
})

test('what the other end wrote acts on no terminal when it is repeated', () => {
  for (const value of ['\x1b[2J', '\u009b2J', '\u202e'])
    assert.not.match(
      complaint(() => parseOffer(JSON.stringify({ ...anOffer(), version: value }))),
      /[\p{Cc}\u202e]/u,
    )
})

test('what is no JSON, or no object, is refused', () => {
  for (const text of ['', '{', 'null', '[]', '"offer"', '1']) {
    complaint(() => parseOffer(text))
    complaint(() => parseAnswer(text))
  }
})

test('5,000 offers with a byte changed are read or refused with a DocumentError', () => {
  const random = seeded(3)
  for (let i = 0; i < 5_000; i++) {
    const bytes = Buffer.from(JSON.stringify(anOffer()))
    bytes[random.int(bytes.length)] = random.int(256)
    try {
      parseOffer(bytes.toString())
    } catch (error) {
      assert.instance(error, DocumentError)
    }
  }
})

test('a session id is read back from its key, and from no other key', () => {
  const id = newSessionId()
  assert.match(id, /^[a-z0-9]{16,32}$/)
  assert.is(sessionIdOfOfferKey(offerKey(id)), id)
  for (const key of [
    `sessions/${id}/answer.json`,
    `sessions/${id}/offer.json.bak`,
    `x/sessions/${id}/offer.json`,
    'sessions//offer.json',
    'sessions/short/offer.json',
    `sessions/${id}/offer.json\n`,
    `sessions/../${id}/offer.json`,
    '',
  ])
    assert.is(sessionIdOfOfferKey(key), undefined, key)
})

test.run()
