import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Config } from '../../cli/config/load.ts'
import { redact } from '../../cli/doctor/redact.ts'
import { ownNames } from '../../cli/doctor/report-file.ts'
import { defaultStunServers } from '../../tunnel/nat/stun/server-name.ts'

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
  const redacted = redact(given, [bucket, '']) as typeof given
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

/** A configuration whose stack has this name, the default or one that was given. */
const config = (name: string, kind: 'default' | 'file', values: object) =>
  ({
    values: { 'deployment.stack_name': name, ...values },
    sources: { 'deployment.stack_name': { kind, where: '' } },
  }) as Pick<Config, 'values' | 'sources'>

test('the names of the stack and of somebody’s own servers do not tell whose it is either', () => {
  const servers = {
    'proxy.stun_server': [...defaultStunServers, 'stun.acme.example:3478', '192.0.2.1:3478'],
    'proxy.turn': ['turns:turn.acme.example:443?transport=tcp', 'turn:192.0.2.1'],
  }
  const names = ownNames(config('acme-proxy', 'file', servers))
  assert.equal(names, ['acme-proxy', 'stun.acme.example', 'turn.acme.example'])
  const none = { 'proxy.stun_server': defaultStunServers, 'proxy.turn': [] }
  // The default name is the program's own, which every hint has in it.
  assert.equal(ownNames(config('lambda-nat-proxy', 'default', none)), [])
  const message = 'the TURN server turns:turn.acme.example:443?transport=tcp does not accept the credentials'
  const told = redact({ message, 'stun.acme.example:3478': defaultStunServers }, names)
  assert.not.match(JSON.stringify(told), 'acme')
  assert.match(JSON.stringify(told), 'stun.l.google.com')
})

test.run()
