import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { closeCodes } from '../../tunnel/quic/close-codes.ts'
import { alpn } from '../../tunnel/quic/tuning.ts'
import { ControlDecoder, encodeControl } from '../../tunnel/session/frames/control.ts'
import {
  decodePacket,
  decodeRefusedTarget,
  encodePacket,
  encodeRefusedTarget,
} from '../../tunnel/session/frames/packet.ts'
import { decodeReply, encodeReply, refusalReasons, reply } from '../../tunnel/session/frames/reply.ts'
import { command, decodeRequest, encodeRequest } from '../../tunnel/session/frames/request.ts'
import { parseAnswer, parseOffer } from '../../tunnel/signalling/documents.ts'

const test = suite('docs/protocol.md')

const page = readFileSync(join(import.meta.dir, '../../docs/protocol.md'), 'utf8')
const blocks = [...page.matchAll(/^```(json|hex) (\w+)\n(.*?)\n```$/gms)].map(([, form, kind, body]) => ({
  form: form!,
  kind: kind!,
  body: body!,
}))
const examples = (form: string, kind: string) =>
  blocks.filter(block => block.form === form && block.kind === kind).map(({ body }) => body)
const bytes = (kind: string) => examples('hex', kind).map(text => Buffer.from(text.replace(/\s/g, ''), 'hex'))

test('offers and answers are what this release reads, every field of them', () => {
  for (const text of examples('json', 'offer')) assert.equal(parseOffer(text), JSON.parse(text))
  const answers = examples('json', 'answer')
  for (const text of answers) assert.equal(parseAnswer(text), JSON.parse(text))
  assert.equal([examples('json', 'offer').length, answers.length], [1, 2])
})

test('control messages', () => {
  const [framed] = bytes('control')
  assert.equal(new ControlDecoder().push(framed!), [{ type: 'bye' }])
  for (const text of examples('json', 'control')) {
    const message = JSON.parse(text)
    assert.equal(new ControlDecoder().push(encodeControl(message)), [message])
    for (const field of Object.keys(message)) assert.ok(page.includes(`\`${field}\``), field)
  }
})

test('requests, replies and packets are the bytes that this release writes', () => {
  const requests = bytes('request').map(each => ({ each, request: decodeRequest(each) }))
  for (const { each, request } of requests) assert.equal(Buffer.from(encodeRequest(request)), each)
  assert.equal(
    requests.map(({ request }) => request.target),
    [
      { host: 'example.org', port: 443 },
      { host: '93.184.215.14', port: 80 },
    ],
  )
  const replies = bytes('reply').map(each => ({ each, reply: decodeReply(each) }))
  for (const { each, reply } of replies) assert.equal(Buffer.from(encodeReply(reply)), each)
  assert.equal(replies[0]!.reply, { code: 0, bound: { host: '10.0.3.7', port: 49210 } })
  assert.is(replies[1]!.reply.reason, 'private-address')
  for (const each of bytes('packet')) {
    const packet = decodePacket(each)
    assert.equal(packet.target, { host: '1.1.1.1', port: 53 })
    assert.is(Buffer.from(packet.data).toString(), 'ping')
    assert.equal(encodePacket(packet), each)
  }
  for (const each of bytes('refused-target')) {
    const refused = decodeRefusedTarget(each)
    assert.equal(refused, { target: { host: '10.0.0.1', port: 53 }, reason: 'private-address' })
    assert.equal(refused && encodeRefusedTarget(refused), each)
  }
})

test('the tables name every code of the protocol', () => {
  assert.ok(page.includes(`\`${alpn}\``))
  for (const [name, code] of Object.entries(closeCodes))
    assert.match(page, new RegExp(String.raw`\| +${code} +\| \`${name}\``))
  for (const value of Object.values(command))
    assert.ok(page.includes(value < 0xf0 ? `${value} ` : `0x${value.toString(16).toUpperCase()}`))
  for (const value of Object.values(reply)) assert.match(page, new RegExp(`\\b${value} [a-zA-Z]`))
  for (const [i, reason] of refusalReasons.entries())
    assert.ok(page.includes(`${i + 1} ${reason.replaceAll('-', ' ')}`), reason)
})

test.run()
