import { randomBytes } from 'node:crypto'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  gatewayOfProc,
  gatewayOfRouteGet,
  gatewayOfRoutePrint,
} from '../../tunnel/nat/port-mapping/gateway.ts'
import * as natPmp from '../../tunnel/nat/port-mapping/nat-pmp.ts'
import * as pcp from '../../tunnel/nat/port-mapping/pcp.ts'
import { checkedGrant, PortMappingError } from '../../tunnel/nat/port-mapping/router.ts'
import { seeded } from '../support/random.ts'

const test = suite('PCP, NAT-PMP and the gateway')

const gateway = { address: '192.168.1.1', localAddress: '192.168.1.7' }
const nonce = Buffer.from('000102030405060708090a0b', 'hex')

const code = (work: () => unknown): string => {
  try {
    work()
  } catch (error) {
    if (error instanceof PortMappingError) return error.code
    throw error
  }
  return 'none'
}

const hex = (text: string) => Buffer.from(text.replaceAll(/\s/g, ''), 'hex')

/** What a router grants, of RFC 6887, section 11.1, figure 10, written out. */
const granted = (result = '00') =>
  hex(`02 81 00 ${result}  00000258  00000001 000000000000000000000000
       000102030405060708090a0b  11 000000  9c40 c350  00000000000000000000ffff cb007107`)

test('a request of PCP is laid out as RFC 6887 draws it', () => {
  const request = pcp.mapRequest(gateway, {
    nonce,
    internalPort: 40_000,
    externalPort: 50_000,
    lifetimeS: 600,
  })
  assert.equal(
    request,
    hex(`02 01 0000 00000258  00000000000000000000ffff c0a80107
         000102030405060708090a0b  11 000000  9c40 c350  00000000000000000000ffff 00000000`),
  )
})

test('the answer of PCP gives address, port and life', () => {
  assert.equal(pcp.readMap(granted(), nonce, 40_000), {
    external: { address: '203.0.113.7', port: 50_000 },
    lifetimeS: 600,
  })
})

test('what answers another request of PCP is none, and a refusal is told', () => {
  assert.is(pcp.readMap(granted(), randomBytes(12), 40_000), undefined)
  assert.is(pcp.readMap(granted(), nonce, 40_001), undefined)
  assert.is(pcp.readMap(Buffer.alloc(60), nonce, 40_000), undefined)
  assert.is(
    code(() => pcp.readMap(granted('02'), nonce, 40_000)),
    'E_PORT_MAPPING_REFUSED',
  )
  // A router that knows only the older protocol.
  assert.is(
    code(() => pcp.readMap(hex('00 81 0001 00000001'), nonce, 40_000)),
    'E_PORT_MAPPING_REFUSED',
  )
})

test('requests and answers of NAT-PMP are laid out as RFC 6886 draws them', () => {
  assert.equal(natPmp.mapRequest(40_000, 50_000, 600), hex('00 01 0000 9c40 c350 00000258'))
  assert.equal(natPmp.readMap(hex('00 81 0000 00000001 9c40 c350 00000258'), 40_000), {
    port: 50_000,
    lifetimeS: 600,
  })
  assert.is(natPmp.readAddress(hex('00 80 0000 00000001 cb007107')), '203.0.113.7')
  assert.is(natPmp.readMap(hex('00 81 0000 00000001 9c41 c350 00000258'), 40_000), undefined)
  assert.is(
    code(() => natPmp.readMap(hex('00 81 0002 00000001 9c40 0000 00000000'), 40_000)),
    'E_PORT_MAPPING_REFUSED',
  )
})

test('no bytes whatever make a reader do anything but give nothing or refuse', () => {
  const random = seeded(7)
  const readers = [
    (bytes: Buffer) => pcp.readMap(bytes, nonce, 40_000),
    (bytes: Buffer) => natPmp.readAddress(bytes),
    (bytes: Buffer) => natPmp.readMap(bytes, 40_000),
  ]
  for (let round = 0; round < 20_000; round++) {
    const bytes = Buffer.from(granted())
    for (let i = 0; i < 3; i++)
      bytes[Math.floor(random.next() * bytes.length)] = Math.floor(random.next() * 256)
    const cut = bytes.subarray(0, Math.floor(random.next() * (bytes.length + 1)))
    for (const read of readers)
      for (const each of [bytes, cut])
        assert.ok(['none', 'E_PORT_MAPPING_REFUSED'].includes(code(() => read(each))))
  }
})

test('a grant of no port is none, and of a year lasts a day', () => {
  const external = { address: '203.0.113.7', port: 0 }
  assert.is(
    code(() => checkedGrant({ external, lifetimeS: 600 })),
    'E_PORT_MAPPING_MALFORMED',
  )
  const { lifetimeS } = checkedGrant({ external: { ...external, port: 1 }, lifetimeS: 31_536_000 })
  assert.is(lifetimeS, 86_400)
})

test('the default gateway is found in what Linux, macOS and Windows say', () => {
  const table = [
    'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT',
    'wlan0\t00000000\t0102A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0',
    'eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0',
    'tun0\t00000000\t00000000\t0001\t0\t0\t50\t00000000\t0\t0\t0',
    'eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0',
  ]
  assert.is(gatewayOfProc(table.join('\n')), '192.168.1.1')
  assert.is(gatewayOfProc(table[0]!), undefined)
  assert.is(
    gatewayOfRouteGet('   route to: default\n    gateway: 192.168.1.1\n  interface: en0\n'),
    '192.168.1.1',
  )
  assert.is(gatewayOfRouteGet('    gateway: fe80::1%en0\n'), undefined)
  const windows = [
    'Network Destination        Netmask          Gateway       Interface  Metric',
    '          0.0.0.0          0.0.0.0      192.168.2.1     192.168.2.7     50',
    '          0.0.0.0          0.0.0.0      192.168.1.1     192.168.1.7     25',
  ]
  assert.is(gatewayOfRoutePrint(windows.join('\r\n')), '192.168.1.1')
  assert.is(gatewayOfRoutePrint('  0.0.0.0  0.0.0.0  On-link  10.8.0.2  25'), undefined)
})

test.run()
