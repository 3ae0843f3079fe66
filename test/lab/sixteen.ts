import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { labAvailable } from './available.ts'
import { inLab, type Side } from './lab.ts'
import { type NatKind, natKinds } from './nat.ts'
import { startTurn } from './services.ts'
import { type LabSession, startSession } from './session.ts'

// Every pair of NATs, client × function, each tried once: a markdown table of what connects, how fast, and with how many packets.
//
//     bun test/lab/sixteen.ts           STUN and checks alone
//     bun test/lab/sixteen.ts --turn    with a TURN server of the client's; and a network that lets out TCP 443 alone

const { turn: withTurn } = parseArgs({ options: { turn: { type: 'boolean', default: false } } }).values
const kinds = natKinds.filter(kind => kind !== 'none')
/** A direct path that has not come by then does not come: the checks of the birthday mode are over. Milliseconds. */
const searchMs = 7_000

if (!labAvailable()) process.exit(1)
const columns = withTurn
  ? ['client', 'function', 'first path', 'punch', 'whole set-up', 'direct after']
  : ['client', 'function', 'connects', 'punch', 'whole set-up', 'checks sent, client + function']
console.log(`| ${columns.join(' | ')} |`)
console.log('|---|---|---|---:|---:|---:|')
for (const client of kinds) for (const exit of kinds) console.log(await tried({ client, function: exit }))
if (withTurn) console.log(await tried({ client: 'port-restricted', function: 'port-restricted' }, true))

// --- internal ---

/** One row of the table. */
async function tried(pair: Record<Side, NatKind>, onlyHttps = false): Promise<string> {
  const cells = await inLab(pair, async lab => {
    const turn = withTurn ? await startTurn(lab) : undefined
    if (onlyHttps) await lab.block('client', 'all-but-https')
    const session = await startSession(lab, 'ours', turn?.use(onlyHttps ? turn.tls : undefined))
    const outcome = await session.outcome()
    const checks = `${await lab.checksSent('client')} + ${await lab.checksSent('function')}`
    if (outcome.type === 'exit.failed') return [`no: ${reason(outcome.message)}`, '', '', checks]
    const punch = /"step":"punch","ms":([\d.]+)/.exec(session.client.said())?.[1]
    const times = [milliseconds(Number(punch)), milliseconds(outcome.setUpMs)]
    if (!turn) return ['yes', ...times, checks]
    const isRelayed = outcome.candidate === 'relayed'
    return [isRelayed ? 'relay' : 'direct', ...times, isRelayed ? await directAfter(session) : '']
  })
  return `| ${[onlyHttps ? 'TCP 443 alone' : pair.client, pair.function, ...cells].join(' | ')} |`
}

/** How long after the relay served a direct path did, where one came. */
async function directAfter(session: LabSession): Promise<string> {
  const began = performance.now()
  const moved = session.event('exit.moved').then(() => milliseconds(performance.now() - began))
  moved.catch(() => {})
  return Promise.race([moved, sleep(searchMs, 'never')])
}

/** The first words of what the error says about the NATs. */
function reason(message: string): string {
  return /responses: ([^,.:;]+)/.exec(message)?.[1] ?? message
}

function milliseconds(ms: number): string {
  return `${Math.round(ms)} ms`
}
