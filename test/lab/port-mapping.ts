import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Lab } from './lab.ts'
import type { Running } from './running.ts'

// A port-mapping daemon on the client's router: Debian's miniupnpd, its flavour for nftables.

export const portMappingPackage = 'miniupnpd-nftables'
export const portMappingProgram = 'miniupnpd'

export interface PortMappingDaemon {
  process: Running
  /** The ports that it has opened and not closed: `outside → inside`. */
  open(): Promise<string[]>
}

export interface DaemonOptions {
  /** PCP and NAT-PMP. On unless told otherwise. */
  pcp?: boolean
  /** On unless told otherwise. */
  upnp?: boolean
  /** The clock that it tells is that of the machine, not its own, which begins with it. */
  isLongUp?: boolean
}

export async function startPortMapping(
  lab: Lab,
  { pcp = true, upnp = true, isLongUp = false }: DaemonOptions = {},
): Promise<PortMappingDaemon> {
  const rules = join(lab.folder, 'port-mapping.nft')
  const configuration = join(lab.folder, 'miniupnpd.conf')
  await writeFile(rules, ruleset)
  await writeFile(configuration, configurationOf({ pcp, upnp, isLongUp }))
  await lab.finish('clientNat', 'nft', ['-f', rules])
  const files = ['-f', configuration, '-P', join(lab.folder, 'miniupnpd.pid')]
  const process = lab.run('clientNat', portMappingProgram, ['-d', '-4', ...files])
  await process.line(pcp ? /Listening for NAT-PMP/ : /HTTP listening/)
  return {
    process,
    async open() {
      const chain = await lab.finish('clientNat', 'nft', [...['list', 'chain', 'inet', table, 'redirected']])
      return [...chain.matchAll(/dport (\d+).*dnat ip to ([\d.]+:\d+)/g)].map(
        ([, port, to]) => `${port} → ${to}`,
      )
    },
  }
}

/** The router is switched off: what its daemon had opened is gone. */
export async function switchOff(lab: Lab, { process }: PortMappingDaemon): Promise<void> {
  await process.stop('SIGKILL')
  await lab.finish('clientNat', 'nft', ['delete', 'table', 'inet', table])
}

// --- internal ---

const table = 'port_mapping'

/** The chains that it fills, before those of the NAT. */
const ruleset = `
  table inet ${table} {
    chain passed { }
    chain redirected { }
    chain sent { }
    chain forward { type filter hook forward priority filter; jump passed; }
    chain prerouting { type nat hook prerouting priority dstnat - 1; jump redirected; }
    chain postrouting { type nat hook postrouting priority srcnat - 1; jump sent; }
  }
`

const configurationOf = ({ pcp, upnp, isLongUp }: Required<DaemonOptions>) =>
  [
    'ext_ifname=wan',
    'listening_ip=lan',
    `enable_natpmp=${pcp ? 'yes' : 'no'}`,
    `enable_upnp=${upnp ? 'yes' : 'no'}`,
    `system_uptime=${isLongUp ? 'yes' : 'no'}`,
    'secure_mode=yes',
    'min_lifetime=1',
    `upnp_table_name=${table}`,
    `upnp_nat_table_name=${table}`,
    'upnp_forward_chain=passed',
    'upnp_nat_chain=redirected',
    'upnp_nat_postrouting_chain=sent',
    'uuid=00000000-0000-0000-0000-000000000001',
    'allow 1024-65535 192.168.1.0/24 1024-65535',
    'deny 0-65535 0.0.0.0/0 0-65535',
    '',
  ].join('\n')
