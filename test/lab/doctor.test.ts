import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { findingsOf } from '../support/findings.ts'
import { need } from '../support/need.ts'
import { labAvailable } from './available.ts'
import { inLab, type Lab } from './lab.ts'
import type { NatKind } from './nat.ts'
import { startStunServers } from './services.ts'

// What doctor says of the NAT that it is behind, of each kind that the lab has.

const test = suite('lambda-nat-proxy doctor, behind a NAT')

const main = join(import.meta.dir, '../../cli/main.ts')

/** What it finds on the client's network, by name, and its exit code. */
async function doctor(lab: Lab, stun: readonly string[]) {
  const args = ['doctor', '--json', '--local', '--no-punch', '--stun', stun.join(',')]
  const program = lab.run('client', process.execPath, [main, ...args], { env: { HOME: lab.folder } })
  const code = await program.exit
  const said = program.said()
  return { code, find: findingsOf(code, said.slice(said.indexOf('{\n'))) }
}

const behaviours: { kind: NatKind; mapping: string; filtering: string; says: RegExp }[] = [
  {
    kind: 'none',
    mapping: 'endpoint-independent',
    filtering: 'endpoint-independent',
    says: /^no NAT$/,
  },
  {
    kind: 'full-cone',
    mapping: 'endpoint-independent',
    filtering: 'endpoint-independent',
    says: /^full-cone NAT$/,
  },
  {
    kind: 'address-restricted',
    mapping: 'endpoint-independent',
    filtering: 'address-dependent',
    says: /^address-restricted cone NAT$/,
  },
  {
    kind: 'port-restricted',
    mapping: 'endpoint-independent',
    filtering: 'address-and-port-dependent',
    says: /^port-restricted cone NAT$/,
  },
  {
    kind: 'symmetric',
    mapping: 'address-and-port-dependent',
    filtering: 'address-and-port-dependent',
    says: /^symmetric NAT,/,
  },
]

for (const { kind, mapping, filtering, says } of behaviours)
  test(`names it by RFC 5780's tests: ${kind}`, () =>
    inLab({ client: kind, function: 'none' }, async lab => {
      const servers = await startStunServers(lab, 'coturn')
      const { code, find } = await doctor(lab, servers)
      assert.is(code, 0)
      assert.is(find('nat').facts?.kind, kind)
      assert.match(find('nat').message, says)
      assert.is(find('exits').status, kind === 'symmetric' ? 'warn' : 'ok')
      assert.is(find('nat mapping').facts?.mapping, mapping)
      assert.is(find('nat filtering').facts?.filtering, filtering)
      for (const server of servers) {
        const { status, facts } = find(`stun ${server}`)
        assert.is(status, 'ok')
        assert.is((facts?.mapped as { address: string } | undefined)?.address, lab.address.client)
      }
      // Conntrack sends nothing back in that came from inside.
      assert.is(find('hairpinning').facts?.hairpinning, kind === 'none')
    }))

for (const { kind, named } of [
  { kind: 'port-restricted', named: 'cone' },
  { kind: 'symmetric', named: 'symmetric' },
] as const)
  test(`two servers that do not know RFC 5780 tell a cone from a symmetric NAT: ${kind}`, () =>
    inLab({ client: kind, function: 'none' }, async lab => {
      const { find } = await doctor(lab, await startStunServers(lab, 'ours'))
      assert.is(find('nat').facts?.kind, named)
      assert.is(find('nat filtering').facts?.filtering, 'unknown')
    }))

test('one server alone cannot tell, and another is asked for', () =>
  inLab({ client: 'port-restricted', function: 'none' }, async lab => {
    const [server] = await startStunServers(lab, 'ours')
    const { code, find } = await doctor(lab, [server!, `${lab.address.stranger}:3478`])
    assert.is(code, 0)
    assert.is(find(`stun ${lab.address.stranger}:3478`).status, 'warn')
    assert.is(find('udp').status, 'ok')
    assert.is(find('nat').facts?.kind, 'unknown')
    assert.is(find('nat mapping').status, 'warn')
    assert.match(find('nat mapping').hint!, '--stun')
  }))

test('a network that blocks UDP is one where it does not work', () =>
  inLab({ client: 'port-restricted', function: 'none' }, async lab => {
    const servers = await startStunServers(lab, 'coturn')
    await lab.block('client')
    const { code, find } = await doctor(lab, servers)
    assert.is(code, 1)
    const udp = find('udp')
    assert.is(udp.status, 'fail')
    assert.match(udp.message, 'blocked')
    assert.match(udp.hint!, 'hotspot')
    assert.is(find('nat').status, 'skip')
    for (const server of servers) assert.is(find(`stun ${server}`).status, 'warn')
  }))

if (labAvailable() && need(['coturn'], ['turnserver'])) test.run()
