import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { redact } from '../../cli/doctor/redact.ts'

const test = suite("The doctor's report")

test('nothing tells whose it is', () => {
  const bucket = 'lambda-nat-proxy-eu-west-1-15e2b0d3'
  const given = {
    message: `account 123456789012, as arn:aws:iam::123456789012:user/alice, in ${bucket}`,
    facts: { mapped: { address: '203.0.113.77', port: 4711 }, buckets: [bucket, `s3://${bucket}/sessions`] },
    text: 'from 198.51.100.9:1080 and [2001:db8:1:2::9]:53, ::1, with AKIAIOSFODNN7EXAMPLE, at 10:20:30',
    version: '1.2.3',
    ms: 12,
    nothing: null,
  }
  const redacted = redact(given, { names: [bucket, ''] }) as typeof given
  const text = JSON.stringify(redacted)
  for (const secret of [bucket, '123456789012', 'alice', '113.77', '100.9', 'db8:1', 'AKIAIOSF'])
    assert.not(text.includes(secret), secret)
  assert.is(redacted.facts.mapped.address, '203.0.x.x')
  assert.is(redacted.facts.mapped.port, 4711)
  assert.match(redacted.facts.buckets[0]!, /^name-[0-9a-f]{8}$/)
  assert.is(redacted.facts.buckets[1], `s3://${redacted.facts.buckets[0]}/sessions`)
  assert.match(redacted.text, 'at 10:20:30')
  assert.match(redacted.text, '2001:db8:x')
  assert.equal([redacted.version, redacted.ms, redacted.nothing], ['1.2.3', 12, null])
})

test.run()
