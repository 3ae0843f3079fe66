import { labAvailable } from './available.ts'
import { inLab, type Kinds, type Lab } from './lab.ts'
import { startPortMapping } from './port-mapping.ts'
import { startTurn } from './services.ts'
import { type LabSessionOptions, startSession } from './session.ts'

// Networks besides the sixteen pairs, each tried once: a markdown table of what connects, by what, and how fast.
//
//     bun test/lab/networks-table.ts

interface Network {
  name: string
  kinds: Kinds
  /** Makes it so; what it gives goes to the session. */
  prepare?: (lab: Lab) => Promise<LabSessionOptions | undefined>
}

const homes = { client: 'port-restricted', function: 'port-restricted' } as const

const opens = (daemon: { pcp?: boolean; upnp?: boolean }) => async (lab: Lab) => {
  await startPortMapping(lab, daemon)
  return undefined
}

const lets = (what: 'udp' | 'all-but-https', byTurn: boolean) => async (lab: Lab) => {
  const turn = byTurn ? await startTurn(lab) : undefined
  await lab.block('client', what)
  return turn?.use(turn.tls)
}

const networks: readonly Network[] = [
  {
    name: 'the router opens ports (PCP)',
    kinds: { client: 'symmetric', function: 'symmetric' },
    prepare: opens({ upnp: false }),
  },
  {
    name: 'the router opens ports (UPnP)',
    kinds: { client: 'symmetric', function: 'symmetric' },
    prepare: opens({ pcp: false }),
  },
  {
    name: 'the router opens ports (PCP)',
    kinds: { client: 'symmetric', function: 'port-restricted' },
    prepare: opens({}),
  },
  {
    name: 'the router opens ports (PCP)',
    kinds: { client: 'port-restricted', function: 'symmetric' },
    prepare: opens({}),
  },
  { name: 'a port-restricted NAT of the provider’s', kinds: { ...homes, carrier: 'port-restricted' } },
  { name: 'a symmetric NAT of the provider’s', kinds: { ...homes, carrier: 'symmetric' } },
  {
    name: 'NATs that forget after 3 s',
    kinds: homes,
    async prepare(lab) {
      for (const side of ['client', 'function'] as const) await lab.forgetAfter(side, 3)
      return undefined
    },
  },
  {
    name: 'packets reordered (20 %) and duplicated (10 %)',
    kinds: homes,
    async prepare(lab) {
      await lab.disturb({ reordered: 20, duplicated: 10 })
      return undefined
    },
  },
  { name: 'UDP dropped', kinds: homes, prepare: lets('udp', false) },
  { name: 'UDP dropped, TURN over TLS', kinds: homes, prepare: lets('udp', true) },
  { name: 'TCP to port 443 alone', kinds: homes, prepare: lets('all-but-https', false) },
  { name: 'TCP to port 443 alone, TURN over TLS', kinds: homes, prepare: lets('all-but-https', true) },
]

/** One row of the table. */
const tried = ({ name, kinds, prepare }: Network): Promise<string> =>
  inLab(kinds, async lab => {
    const session = await startSession(lab, 'ours', await prepare?.(lab))
    const outcome = await session.outcome()
    const row = (...cells: string[]) => `| ${[name, kinds.client, kinds.function, ...cells].join(' | ')} |`
    if (outcome.type === 'exit.failed') return row(`no: \`${outcome.code}\``, '', '', '')
    const said = session.client.said()
    const punch = Number(/"step":"punch","ms":([\d.]+)/.exec(said)?.[1])
    const checks = `${await lab.checksSent('client')} + ${await lab.checksSent('function')}`
    return row(way(outcome), milliseconds(punch), milliseconds(outcome.setUpMs), checks)
  })

function way({ candidate, byOpenPort }: { candidate?: string; byOpenPort?: boolean }): string {
  if (candidate === 'relayed') return 'by the relay'
  return byOpenPort ? 'by the open port' : 'directly'
}

const milliseconds = (ms: number): string => `${Math.round(ms)} ms`

if (!labAvailable()) process.exit(1)
console.log(
  '| network | client | function | connects | punch | whole set-up | checks sent, client + function |',
)
console.log('|---|---|---|---|---:|---:|---:|')
for (const network of networks) console.log(await tried(network))
