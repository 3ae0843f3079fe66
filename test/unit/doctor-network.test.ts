import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { judgeExits } from '../../cli/doctor/exits-check.ts'
import { judgeEcn, judgeMtu } from '../../cli/doctor/path-checks.ts'
import { judgePortMapping } from '../../cli/doctor/port-mapping-check.ts'
import { type Ports, reachOf } from '../../cli/doctor/reach.ts'
import { formatVerdict, oneChange } from '../../cli/doctor/report.ts'

const test = suite('doctor: what a network comes to')

const plain = { ports: 'silent' as const, udp: true, relay: false }
const network = { mapped: { address: '203.0.113.7', port: 40_000 } }

test('the reach of a network follows from its NAT, its router and a relay', () => {
  const reach = (...parts: Parameters<typeof reachOf>) => Object.values(reachOf(...parts) ?? {}).join(', ')
  const everywhere = Array(4).fill('directly').join(', ')
  for (const kind of ['none', 'full-cone', 'address-restricted'] as const)
    assert.is(reach({ ...plain, kind }), everywhere)
  for (const kind of ['firewall', 'port-restricted', 'cone'] as const)
    assert.is(reach({ ...plain, kind }), 'directly, directly, directly, by trying ports')
  const symmetric = { ...plain, kind: 'symmetric' as const }
  assert.is(reach(symmetric), 'directly, directly, by trying ports, not')
  assert.is(reach({ ...symmetric, relay: true }), 'directly, directly, by trying ports, by a relay')
  assert.is(reach({ ...symmetric, ports: 'opened' }), everywhere)
  assert.is(reach({ ...symmetric, udp: false, relay: true }), Array(4).fill('by a relay').join(', '))
  assert.is(reachOf({ ...plain, kind: 'unknown' }), undefined)
})

test('it is told in a sentence, and warned of where some exits are out of reach', () => {
  assert.equal(judgeExits({ ...plain, kind: 'none' }).message, 'reached behind any NAT at once')
  const { status, code, message } = judgeExits({ ...plain, kind: 'symmetric' })
  assert.equal([status, code], ['warn', 'E_NAT_SYMMETRIC'])
  assert.is(
    message,
    'reached behind a full-cone or address-restricted NAT at once; a port-restricted one by trying ports, in 1 to 5 s; a symmetric one not at all',
  )
  assert.is(judgeExits({ ...plain, kind: 'unknown' }).status, 'skip')
  const obstacle = (ports: Ports) => judgeExits({ ...plain, kind: 'symmetric', ports }).code
  assert.equal(
    [obstacle('refused'), obstacle('opened elsewhere')],
    ['E_PORT_MAPPING_REFUSED', 'E_NAT_DOUBLE'],
  )
})

test('a port that the router opens counts where the world sees this network', () => {
  const granted = { protocol: 'pcp' as const, external: { address: '203.0.113.7', port: 40_000 } }
  const report = { gateway: '192.168.1.1', answers: ['pcp' as const], granted }
  assert.is(judgePortMapping(report, network).status, 'ok')
  const behind = { ...granted, external: { address: '100.64.0.2', port: 40_000 } }
  const { status, code } = judgePortMapping({ ...report, granted: behind }, network)
  assert.equal([status, code], ['warn', 'E_NAT_DOUBLE'])
  const { granted: _, ...refused } = { ...report, refusal: 'the router refuses: it does not allow it' }
  assert.match(judgePortMapping(refused, network).message, 'does not allow it')
  assert.match(judgePortMapping({ gateway: '192.168.1.1', answers: [] }, network).message, 'neither PCP')
  assert.is(judgePortMapping({ answers: [] }, network).status, 'skip')
  assert.match(judgePortMapping({ answers: [], isOff: true }, network).message, '--port-mapping')
})

test('a path that swallows large packets is warned of, and one that loses the marks of ECN is not', () => {
  const path = { mtu: 1_472, blackHoles: 0, ecn: true, congestionMarks: 3 }
  assert.equal(judgeMtu(path), {
    status: 'ok',
    message: 'packets of 1,500 bytes get through',
    facts: { mtu: 1_500, blackHoles: 0 },
  })
  const { status, code, message } = judgeMtu({ ...path, mtu: 1_200, blackHoles: 1 })
  assert.equal([status, code], ['warn', 'E_MTU_BLACK_HOLE'])
  assert.match(message, 'packets of 1,228 bytes get through; ')
  assert.match(judgeEcn(path).message, '3 of them')
  assert.is(judgeEcn({ ...path, ecn: false }).status, 'ok')
})

test('the one thing to change is that of the first failure, then of the exits, then of any warning', () => {
  const result = (name: string, status: 'ok' | 'warn' | 'fail') => ({
    name,
    status,
    message: '',
    hint: name,
    ms: 0,
  })
  const [stun, exits, udp] = [result('stun', 'warn'), result('exits', 'warn'), result('udp', 'fail')]
  assert.is(oneChange([stun, exits, udp]), 'udp')
  assert.is(oneChange([stun, exits]), 'exits')
  assert.is(oneChange([stun]), 'stun')
  assert.is(oneChange([result('x', 'ok')]), undefined)
  const hint = 'word '.repeat(30).trim()
  const lines = formatVerdict([{ ...udp, hint }], 40).split('\n')
  assert.match(lines[1]!, /^→ word/)
  assert.ok(lines.slice(1).every(line => line.length <= 40))
})

test.run()
