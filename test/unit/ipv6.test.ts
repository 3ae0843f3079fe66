import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ipv6Bytes, ipv6Text } from '../../tunnel/net/ipv6.ts'

const test = suite('IPv6 addresses')

const spellings: [canonical: string, ...others: string[]][] = [
  ['::', '0::', '0:0:0:0:0:0:0:0', '::0.0.0.0'],
  ['::1', '0000:0000::0001', '0:0:0:0:0:0:0.0.0.1'],
  ['::ffff:102:304', '::FFFF:1.2.3.4', '0:0:0:0:0:ffff:1.2.3.4'],
  // What runtimes' own URL parsers do not all read.
  ['64:ff9b:0:1::101:101', '64:ff9b:0:1::1.1.1.1', '64:ff9b:0:1:0:0:1.1.1.1'],
  ['1:2:3:4::102:304', '1:2:3:4::1.2.3.4'],
  ['1:2:3:4:5:6:102:304', '1:2:3:4:5:6:1.2.3.4'],
  ['1:2:3:4:5:6:7:0', '1:2:3:4:5:6:7::'],
  ['fe80::1', 'fe80::1%eth0', 'FE80:0::0:1%1'],
  ['2001:db8::1', '2001:0DB8:0:0::1'],
]

test('all spellings of an address are the same bytes, and come back as the canonical text', () => {
  for (const [canonical, ...others] of spellings)
    for (const spelling of [canonical, ...others])
      assert.is(ipv6Text(ipv6Bytes(spelling)), canonical, spelling)
})

test('what is no IPv6 address is refused', () => {
  for (const text of ['', '1.2.3.4', ':::', '1::2::3', '1:2:3:4:5:6:7', 'localhost', '1:2:3:4:5:6:7:8:9'])
    assert.throws(
      () => ipv6Bytes(text),
      (error: unknown) => error instanceof RangeError,
      text,
    )
})

test.run()
