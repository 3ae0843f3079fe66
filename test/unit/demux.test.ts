import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { bindingRequest } from '../../tunnel/nat/stun/message.ts'
import { classify } from '../../tunnel/net/demux.ts'

const test = suite('demultiplexing')

test('a datagram goes by its first byte: 0 to 3 is STUN, 64 and up is QUIC, the rest is noise', () => {
  for (let first = 0; first < 256; first++)
    assert.is(classify(Buffer.of(first, 0)), first < 4 ? 'stun' : first < 64 ? 'noise' : 'quic')
})

test('an empty datagram is noise', () => {
  assert.is(classify(new Uint8Array()), 'noise')
})

test('a Binding request is STUN', () => {
  assert.is(classify(bindingRequest().datagram), 'stun')
})

test.run()
