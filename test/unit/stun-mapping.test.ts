import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { mappingOf, type View } from '../../tunnel/nat/stun/mapping.ts'

const test = suite('NAT mapping behaviour')

const view = (server: string, port: number, address = '192.0.2.1'): Pick<View, 'server' | 'mapped'> => ({
  server,
  mapped: { address, port },
})

test('two servers that see the same port: endpoint-independent', () => {
  assert.is(mappingOf([view('a:1', 5000), view('b:1', 5000)]), 'endpoint-independent')
})

test('another port, or another address, for each server: address-dependent', () => {
  assert.is(mappingOf([view('a:1', 5000), view('b:1', 5001)]), 'address-dependent')
  assert.is(mappingOf([view('a:1', 5000), view('b:1', 5000, '192.0.2.2')]), 'address-dependent')
})

test('one view, or one server’s twice, says nothing', () => {
  assert.is(mappingOf([]), 'unknown')
  assert.is(mappingOf([view('a:1', 5000)]), 'unknown')
  assert.is(mappingOf([view('a:1', 5000), view('a:1', 5000)]), 'unknown')
})

test.run()
