import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isPublicAddress, isUnicast4 } from '../../tunnel/net/public-address.ts'

const test = suite('public addresses')

const forbidden: Record<string, string[]> = {
  'this host and network': ['0.0.0.0', '0.1.2.3', '::'],
  'loopback, with the runtime API': ['127.0.0.1', '127.255.255.254', '::1', '0:0:0:0:0:0:0:1', '0000::0001'],
  'link-local, with the metadata': ['169.254.169.254', '169.254.0.1', 'fe80::1', 'fe80::1%eth0', 'febf::1'],
  private: ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fc00::1', 'fd00:ec2::254', 'fec0::1'],
  'carrier-grade NAT': ['100.64.0.1', '100.127.255.255'],
  'multicast and broadcast': ['224.0.0.1', '239.255.255.255', '255.255.255.255', 'ff02::1'],
  'documentation, benchmarks and reserved': [
    '192.0.0.1',
    '192.0.2.1',
    '198.18.0.1',
    '198.19.255.255',
    '198.51.100.1',
    '203.0.113.1',
    '240.0.0.1',
    '2001:db8::1',
    '100::1',
  ],
  'IPv4-mapped': ['::ffff:127.0.0.1', '::ffff:7f00:1', '::FFFF:169.254.169.254', '0:0:0:0:0:ffff:10.0.0.1'],
  'IPv4-compatible': ['::127.0.0.1', '::a9fe:a9fe', '::10.0.0.1', '::1.1.1.1'],
  'IPv4-translated': ['::ffff:0:127.0.0.1', '::ffff:0:a9fe:a9fe', '::ffff:0:1.1.1.1'],
  NAT64: ['64:ff9b::127.0.0.1', '64:ff9b::a9fe:a9fe', '64:ff9b:1::10.0.0.1', '64:ff9b:1::1.1.1.1'],
  'NAT64 of another length, which only its network can read': ['64:ff9b:0:1::1.1.1.1', '64:ff9b:ffff::1'],
  '6to4': ['2002:7f00:1::', '2002:a9fe:a9fe::1', '2002:c0a8:101::1', '2002:808:808::1'],
  Teredo: ['2001::1', '2001:0:4136:e378:8000:63bf:80ff:fffe', '2001:0:7f00:1::', '2001:0:0:0:0:0:80ff:fffe'],
  ISATAP: [
    '2606:4700::5efe:127.0.0.1',
    '2606:4700::5efe:7f00:1',
    '2606:4700::200:5efe:10.0.0.1',
    '2a00:1450:4001:80b:0:5efe:169.254.169.254',
    'fe80::5efe:127.0.0.1',
  ],
  'IETF protocol assignments': [
    '2001:1::1',
    '2001:1::2',
    '2001:2::1',
    '2001:2:0:ffff::1',
    '2001:3::1',
    '2001:4:112::1',
    '2001:10::1',
    '2001:20::1',
    '2001:30::1',
    '2001:1ff:ffff::1',
  ],
  'documentation, of two registrations': ['2001:db8:ffff::1', '3fff::1', '3fff:fff:ffff::1'],
  'segment routing': ['5f00::1', '5f00:ffff::1'],
  'discard-only and dummy': ['100::1', '100:0:0:1::1', '0100::ffff'],
  'site-local, unique local, multicast': ['fec0::1', 'feff::1', 'fdff::1', 'ff05::1', 'ff0e::1'],
  'space that nobody has been given': ['4000::1', '1000::1', '8000::1', 'e000::1', '200::1', '400::7f00:1'],
  'a zone, whatever the address': ['2606:4700:4700::1111%eth0', '::ffff:1.1.1.1%lo'],
  'what is no address': ['', 'localhost', '1.1.1', '1.1.1.1.', '0x7f.1', '2130706433', '[::1]', ' 1.1.1.1'],
}

const permitted = [
  '1.1.1.1',
  '8.8.8.8',
  '9.255.255.255',
  '11.0.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '126.255.255.255',
  '128.0.0.1',
  '169.253.255.255',
  '169.255.0.0',
  '172.15.255.255',
  '172.32.0.0',
  '192.167.255.255',
  '192.169.0.0',
  '223.255.255.255',
  '2606:4700:4700::1111',
  '2a00:1450:4001:80b::200e',
  '::ffff:1.1.1.1',
  '64:ff9b::1.1.1.1',
  '64:ff9b::101:101',
  '2001:200::1',
  '2001:4860:4860::8888',
  '2001:dc8::1',
  '2003::1',
  '2620:4f:8000::1',
  '3ffe:ffff::1',
  '2606:4700::5eff:127.0.0.1',
  '192.31.196.1',
  '192.52.193.1',
  '192.175.48.1',
]

for (const [kind, addresses] of Object.entries(forbidden))
  test(`not reached: ${kind}`, () => {
    for (const address of addresses) assert.is(isPublicAddress(address), false, address)
  })

test('reached: public addresses, and the neighbours of all that is not', () => {
  for (const address of permitted) assert.is(isPublicAddress(address), true, address)
})

test('unicast is what one host has', () => {
  for (const address of ['10.0.0.1', '127.0.0.1', '192.168.1.1', '203.0.113.1', '1.1.1.1', '223.255.255.255'])
    assert.ok(isUnicast4(address), address)
  for (const address of [
    '0.0.0.0',
    '169.254.169.254',
    '224.0.0.251',
    '239.255.255.255',
    '240.0.0.1',
    '255.255.255.255',
    '::1',
    'x',
  ])
    assert.not(isUnicast4(address), address)
})

test.run()
