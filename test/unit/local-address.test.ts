import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { localAddressTowards } from '../../tunnel/net/local-address.ts'

const test = suite('the local address')

test('it is the one that packets leave by, where any do', async () => {
  assert.is(await localAddressTowards({ address: '127.0.0.1', port: 9 }), '127.0.0.1')
  assert.is(await localAddressTowards({ address: '255.255.255.255', port: 9 }), undefined)
})

test.run()
