import { labAvailable } from './available.ts'
import { inLab } from './lab.ts'
import type { NatKind } from './nat.ts'
import { type LabTurn, startTurn, startWeb } from './services.ts'
import { type LabSessionOptions, startSession } from './session.ts'

// How fast a download is directly, by a relay, and after the move from one: a markdown table.
//
//     bun test/lab/relay-speed.ts

const bytes = 200_000_000
if (!labAvailable()) process.exit(1)

interface Way {
  name: string
  client: NatKind
  function: NatKind
  use?: (turn: LabTurn) => LabSessionOptions
  /** It moves to a direct path before it is measured. */
  moves?: boolean
}

const home = { client: 'port-restricted', function: 'port-restricted' } as const
const ways: Way[] = [
  { name: 'direct', ...home },
  { name: 'TURN over UDP', client: 'symmetric', function: 'symmetric', use: turn => turn.use() },
  { name: 'TURN over TCP', client: 'symmetric', function: 'symmetric', use: turn => turn.use(turn.tcp) },
  { name: 'TURN over TLS', client: 'symmetric', function: 'symmetric', use: turn => turn.use(turn.tls) },
  {
    name: 'TURN over UDP, lent to the function',
    client: 'symmetric',
    function: 'symmetric',
    use: turn => ({ variables: turn.ofFunction }),
  },
  {
    name: 'moved to a direct path',
    ...home,
    use: turn => turn.use(),
    moves: true,
  },
  {
    name: 'moved to one of 256 sockets',
    client: 'symmetric',
    function: 'port-restricted',
    use: turn => turn.use(),
    moves: true,
  },
]

console.log('| path | 200 MB down | Mbit/s |')
console.log('|---|---:|---:|')
for (const way of ways) {
  const ms = await inLab(way, async lab => {
    const web = await startWeb(lab)
    const turn = await startTurn(lab)
    if (way.moves) await lab.block('client', 'peer')
    const session = await startSession(lab, 'ours', way.use?.(turn))
    const outcome = await session.outcome()
    if (outcome.type === 'exit.failed') throw new Error(outcome.message)
    if (way.moves) {
      await lab.unblock('client')
      await session.event('exit.moved')
    }
    const curl = ['-sSf', '--max-time', '120', '--socks5-hostname', '127.0.0.1:1080', '-o', '/dev/null']
    const began = performance.now()
    await lab.finish('client', 'curl', [...curl, `${web}/bytes/${bytes}`])
    return performance.now() - began
  })
  console.log(`| ${way.name} | ${(ms / 1000).toFixed(1)} s | ${Math.round((bytes * 8) / ms / 1000)} |`)
}
