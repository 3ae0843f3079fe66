import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { outboundFor, parseBypass, parseRules } from '../../cli/client/outbound/rules.ts'
import { UsageError } from '../../cli/input/usage-error.ts'

const test = suite('routes')

const outbound = (rules: string[], host: string, port = 443) => outboundFor(parseRules(rules), { host, port })

test('what no rule covers goes through the tunnel', () => {
  assert.is(outbound([], 'example.org'), 'tunnel')
  assert.is(outbound(['direct example.com'], 'example.org'), 'tunnel')
})

test('the first rule that covers a target counts', () => {
  const rules = ['tunnel secret.example.com', 'direct example.com', 'block *:25', 'block example.com']
  assert.is(outbound(rules, 'secret.example.com'), 'tunnel')
  assert.is(outbound(rules, 'www.example.com'), 'direct')
  assert.is(outbound(rules, 'mail.example.com', 25), 'direct')
  assert.is(outbound(rules, 'example.org', 25), 'block')
})

test('a domain covers itself and what lies under it, *. only what lies under it', () => {
  for (const [pattern, host, covered] of [
    ['example.com', 'example.com', true],
    ['example.com', 'a.b.example.com', true],
    ['example.com', 'badexample.com', false],
    ['example.com', 'example.com.evil.org', false],
    ['*.example.com', 'example.com', false],
    ['*.example.com', 'a.example.com', true],
    ['.example.com', 'a.example.com', true],
    ['EXAMPLE.com', 'Www.Example.COM', true],
    ['example.com', 'www.example.com.', true],
    ['bücher.example', 'xn--bcher-kva.example', true],
    ['localhost', 'localhost', true],
    ['*', '192.0.2.1', true],
  ] as const)
    assert.is(outbound([`direct ${pattern}`], host) === 'direct', covered, `${pattern} ${host}`)
})

test('a network covers its addresses in every spelling, and no names', () => {
  for (const [pattern, host, covered] of [
    ['10.0.0.0/8', '10.255.0.1', true],
    ['10.0.0.0/8', '11.0.0.1', false],
    ['10.0.0.0/8', '10.0.0.1.example.com', false],
    ['10.0.0.0/8', '10.1', true],
    ['10.0.0.0/8', '0x0a000001', true],
    ['10.0.0.0/8', '167772161', true],
    ['10.0.0.0/8', '012.0.0.1', true],
    ['10.0.0.0/8', '::ffff:10.0.0.1', true],
    ['10.0.0.0/8', '::ffff:a00:1', true],
    ['10.0.0.0/8', '::a00:1', false],
    ['192.0.2.128/25', '192.0.2.127', false],
    ['192.0.2.128/25', '192.0.2.128', true],
    ['192.0.2.7', '192.0.2.7', true],
    ['192.0.2.7', '192.0.2.8', false],
    ['0.0.0.0/0', '203.0.113.9', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['2001:db8::/33', '2001:db8:7fff::1', true],
    ['2001:db8::/33', '2001:db8:8000::1', false],
    ['::1', '0:0:0:0:0:0:0:1', true],
    ['::/0', '2001:db8::1', true],
  ] as const)
    assert.is(outbound([`direct ${pattern}`], host) === 'direct', covered, `${pattern} ${host}`)
})

test('a port or a range of ports narrows a rule', () => {
  const rules = ['block *:25', 'direct example.com:8000-8999', 'direct [2001:db8::/32]:443', 'direct [::1]']
  assert.is(outbound(rules, 'example.org', 25), 'block')
  assert.is(outbound(rules, 'example.com', 8000), 'direct')
  assert.is(outbound(rules, 'example.com', 8999), 'direct')
  assert.is(outbound(rules, 'example.com', 9000), 'tunnel')
  assert.is(outbound(rules, '2001:db8::5', 443), 'direct')
  assert.is(outbound(rules, '2001:db8::5', 80), 'tunnel')
  assert.is(outbound(rules, '::1', 80), 'direct')
})

test('a bypass is a list of what goes direct', () => {
  const rules = parseBypass('*.example.com, 10.0.0.0/8,,localhost')
  assert.is(rules.length, 3)
  for (const host of ['a.example.com', '10.1.2.3', 'localhost'])
    assert.is(outboundFor(rules, { host, port: 80 }), 'direct')
  assert.equal(parseBypass(''), [])
})

test('what is wrong with a rule is said', () => {
  for (const [text, ...words] of [
    ['forward example.com', 'tunnel, direct, block'],
    ['', 'tunnel, direct, block'],
    ['direct', 'missing pattern'],
    ['direct a b', 'without spaces'],
    ['block 10.0.0.0/33', '/33', '32'],
    ['block 10.0.0.0/', '32'],
    ['block 2001:db8::/129', '/129', '128'],
    ['block example.com/8', 'is not an IP address'],
    ['block *.*.com', '"*.*.com"'],
    ['block exa mple', 'without spaces'],
    ['block example.com:http', '"http" is not a port'],
    ['block example.com:65536', '"65536" is not a port'],
    ['block example.com:90-80', '"90-80" is not a port'],
    ['block [::1', '"[::1"'],
    ['block a,,b', '""'],
  ] as const)
    try {
      parseRules([text])
      assert.unreachable(text)
    } catch (error) {
      assert.instance(error, UsageError, text)
      for (const word of [`"${text}"`, ...words]) assert.match((error as Error).message, word)
    }
})

test.run()
