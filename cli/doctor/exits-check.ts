import type { Check, Finding } from './check.ts'
import type { Context } from './context.ts'
import { portsOf } from './port-mapping-check.ts'
import { type ExitNat, exitNats, type Network, type Ports, type Reach, reachOf } from './reach.ts'

/** Which exits this network can reach, by all that the other checks have found. */
export const exitsCheck: Check<Context> = {
  name: 'exits',
  after: ['udp', 'turn', 'port mapping'],
  limitMs: 20_000,
  async run({ netcheck, portMapping, turn }) {
    const network = await netcheck()
    const report = await portMapping()
    return judgeExits({
      kind: network.kind,
      ports: portsOf(report, network),
      udp: network.mapped !== undefined,
      relay: (await turn().catch(() => undefined)) !== undefined,
    })
  },
}

export function judgeExits(network: Network): Finding {
  const reach = reachOf(network)
  if (!reach) return { status: 'skip', message: 'unknown, as the NAT is: trying it will tell' }
  const facts = { reach }
  const message = inWords(reach)
  if (exitNats.every(nat => reach[nat] !== 'not')) return { status: 'ok', message, facts }
  return { status: 'warn', code: obstacles[network.ports], message, facts }
}

// --- internal ---

/** What is in the way where some exits are out of reach. */
const obstacles: Record<Ports, string> = {
  opened: 'E_NAT_SYMMETRIC',
  silent: 'E_NAT_SYMMETRIC',
  refused: 'E_PORT_MAPPING_REFUSED',
  'opened elsewhere': 'E_NAT_DOUBLE',
}

const phrases: Record<Reach, string> = {
  directly: 'at once',
  'by trying ports': 'by trying ports, in 1 to 5 s',
  'by a relay': 'by the TURN server alone',
  not: 'not at all',
}

/** NATs with the same reach share a phrase. */
function inWords(reach: Record<ExitNat, Reach>): string {
  const ways = [...new Set(Object.values(reach))]
  if (ways.length === 1) return `reached behind any NAT ${phrases[ways[0]!]}`
  const parts = ways.map(way => `a ${listed(exitNats.filter(nat => reach[nat] === way))} one ${phrases[way]}`)
  return `reached behind ${parts.join('; ').replace(' one ', ' NAT ')}`
}

const listed = (names: readonly string[]) => names.join(', ').replace(/, ([^,]*)$/, ' or $1')
