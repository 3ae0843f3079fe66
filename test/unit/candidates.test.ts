import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  admitCandidates,
  CandidateError,
  maxAddresses,
  maxCandidates,
} from '../../tunnel/nat/ice/candidates.ts'

const test = suite('candidates')

const at = (address: string, port = 4500) => ({ address, port })
const atHome = { mapped: at('127.0.0.1') }
const outside = { mapped: at('1.1.1.1') }

const admitted = (addresses: string[], admission: Parameters<typeof admitCandidates>[1]) =>
  admitCandidates(
    addresses.map(address => at(address)),
    admission,
  ).map(({ address }) => address)

function refuses(addresses: string[], admission: Parameters<typeof admitCandidates>[1]): void {
  for (const address of addresses)
    assert.throws(
      () => admitted([address], admission),
      (error: unknown) => error instanceof CandidateError && error.code === 'E_PEER_CANDIDATES',
      address,
    )
}

const priv = ['127.0.0.1', '10.0.0.1', '172.16.0.9', '192.168.1.1', '100.64.0.1']
const documentation = ['192.0.2.1', '198.51.100.1', '203.0.113.1']
const never = ['255.255.255.255', '224.0.0.251', '239.1.1.1', '169.254.169.254', '0.0.0.0', '240.0.0.1']

test('from a public address only public unicast is sent to', () => {
  assert.equal(admitted(['8.8.8.8'], outside), ['8.8.8.8'])
  refuses([...priv, ...documentation, ...never], outside)
})

test('on a network without public addresses, or by leave, private ones are as well', () => {
  for (const admission of [atHome, { mapped: at('100.64.0.7') }, { ...outside, allowPrivate: true }])
    for (const address of [...priv, ...documentation, '8.8.8.8'])
      assert.equal(admitted([address], admission), [address])
})

test('what no host has is never sent to', () => {
  for (const admission of [atHome, { ...atHome, allowPrivate: true }, outside]) refuses(never, admission)
})

test('what may not be is left out, and the rest is sent to', () => {
  assert.equal(admitted(['169.254.169.254', '8.8.8.8', '10.0.0.1'], outside), ['8.8.8.8'])
})

test('of many addresses the first two are, of many ports the first eight, of the same candidate one', () => {
  assert.equal(admitted(['9.9.9.9', '8.8.8.8', '7.7.7.7', '6.6.6.6'], outside), ['9.9.9.9', '8.8.8.8'])
  assert.is(maxAddresses, 2)
  const ports = Array.from({ length: 50 }, (_, i) => at('8.8.8.8', 1_000 + i))
  assert.is(admitCandidates(ports, outside).length, maxCandidates)
  assert.equal(admitCandidates([at('8.8.8.8'), at('8.8.8.8')], outside), [at('8.8.8.8')])
})

test('nothing but address and port is taken over', () => {
  const candidate = { type: 'srflx', address: '8.8.8.8', port: 1, via: 7 }
  assert.equal(admitCandidates([candidate], outside), [at('8.8.8.8', 1)])
})

test.run()
