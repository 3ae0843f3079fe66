import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { defaultStunServers, parseStunServer, parseStunServers } from '../../tunnel/nat/stun/server-name.ts'

const test = suite('STUN server names')

test('host, host:port and stun: URIs are read; 3478 is the port where none is given', () => {
  for (const [text, host, port] of [
    ['stun.example.org', 'stun.example.org', 3478],
    ['stun.example.org:19302', 'stun.example.org', 19302],
    ['stun:stun.example.org', 'stun.example.org', 3478],
    ['STUN:stun.example.org:1', 'stun.example.org', 1],
    [' 192.0.2.1:65535 ', '192.0.2.1', 65535],
    ['localhost', 'localhost', 3478],
  ] as const)
    assert.equal(parseStunServer(text), { host, port })
})

test('what is no server is refused by its text', () => {
  for (const text of [
    '',
    ':3478',
    'host:',
    'host:0',
    'host:65536',
    'host:123456',
    'host:x',
    'turn:host',
    'http://host',
    'ho st',
    'user@host',
    '::1',
    '[::1]:3478',
  ])
    assert.throws(
      () => parseStunServer(text),
      (error: unknown) => error instanceof RangeError && error.message.includes(`'${text}'`),
      text,
    )
})

test('a list is read in its order; an empty one is refused', () => {
  assert.equal(parseStunServers('a:1, b ,,c:3'), [
    { host: 'a', port: 1 },
    { host: 'b', port: 3478 },
    { host: 'c', port: 3 },
  ])
  for (const text of ['', ' , ,']) assert.throws(() => parseStunServers(text), /at least one/)
  assert.throws(() => parseStunServers('a:1,b:x'), /'b:x'/)
})

test('the default servers are two, of different operators', () => {
  const [first, second] = parseStunServers(defaultStunServers.join(','))
  const operator = (host = '') => host.split('.').slice(-2).join('.')
  assert.is.not(operator(first?.host), operator(second?.host))
})

test.run()
