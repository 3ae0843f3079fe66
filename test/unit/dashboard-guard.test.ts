import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { newControlToken } from '../../cli/control/socket.ts'
import { tokenMatches } from '../../cli/dashboard/guard.ts'
import { hostAllowed } from '../../cli/input/allowed-host.ts'
import { isLoopback } from '../../cli/input/loopback.ts'

const test = suite("the dashboard's guard")

test('lets in by the names that only this machine has', () => {
  for (const host of [
    '127.0.0.1:8081',
    'localhost:8081',
    'LOCALHOST',
    '127.0.0.1',
    '[::1]:8081',
    '127.9.8.7:1',
  ])
    assert.ok(hostAllowed(host, '127.0.0.1'), host)
})

test('keeps out names that somebody else may point at this machine, and what is no host', () => {
  const others = [
    null,
    '',
    'evil.example',
    'evil.example:8081',
    'localhost.evil.example',
    '127.0.0.1.evil.example:8081',
    '127.0.0.1@evil.example',
    'localhost:8081:8081',
    '[::1',
    '192.168.1.7:8081',
    'localhost.',
  ]
  for (const host of others) assert.not.ok(hostAllowed(host, '127.0.0.1'), String(host))
})

test('where it listens beyond loopback, lets in by address and by the name that it was told, and by no other', () => {
  for (const host of ['192.168.1.7:8081', '[2001:db8::1]:8081', 'localhost:8081'])
    assert.ok(hostAllowed(host, '0.0.0.0'), host)
  assert.ok(hostAllowed('pi.lan:8081', 'pi.lan'))
  assert.not.ok(hostAllowed('evil.example', '0.0.0.0'))
})

test('knows loopback addresses', () => {
  for (const host of ['127.0.0.1', '127.1.2.3', '::1', 'localhost']) assert.ok(isLoopback(host), host)
  for (const host of ['0.0.0.0', '10.0.0.1', '127.evil.example', '::']) assert.not.ok(isLoopback(host), host)
})

test('takes a token only whole', () => {
  const token = newControlToken()
  assert.ok(tokenMatches(token, token))
  for (const wrong of [null, '', token.slice(1), `${token}x`, newControlToken(), token.toUpperCase()])
    assert.not.ok(tokenMatches(wrong, token), String(wrong))
})

test.run()
