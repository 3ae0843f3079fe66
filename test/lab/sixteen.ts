import { setTimeout as sleep } from 'node:timers/promises'
import { defineCommand } from 'citty'
import { describe } from '../../cli/output/help.ts'
import { runScript } from '../../cli/output/script.ts'
import { labAvailable } from './available.ts'
import { inLab, type Side } from './lab.ts'
import { type NatKind, natKinds } from './nat.ts'
import { startTurn } from './services.ts'
import { type LabSession, startSession } from './session.ts'

await runScript(
  ['bun', 'test/lab/sixteen.ts'],
  defineCommand({
    meta: describe({
      description:
        'Try every pair of NATs, client × function, once: a markdown table of what connects, how fast, and with how many packets.',
      exits: { failed: 'the NAT lab cannot run here' },
    }),
    args: {
      turn: {
        type: 'boolean',
        default: false,
        description: 'With a TURN server of the client’s; and a network that lets out TCP 443 alone',
      },
    },
    async run({ args: { turn } }) {
      if (!labAvailable()) process.exit(1)
      const kinds = natKinds.filter(kind => kind !== 'none')
      const columns = turn
        ? ['client', 'function', 'first path', 'punch', 'whole set-up', 'direct after']
        : ['client', 'function', 'connects', 'punch', 'whole set-up', 'checks sent, client + function']
      console.log(`| ${columns.join(' | ')} |`)
      console.log('|---|---|---|---:|---:|---:|')
      for (const client of kinds)
        for (const exit of kinds) console.log(await tried({ client, function: exit }, turn))
      if (turn)
        console.log(await tried({ client: 'port-restricted', function: 'port-restricted' }, true, true))
    },
  }),
)

// --- internal ---

/** A direct path that has not come by then does not come: the checks of the birthday mode are over. Milliseconds. */
const searchMs = 7_000

/** One row of the table. */
async function tried(pair: Record<Side, NatKind>, withTurn: boolean, onlyHttps = false): Promise<string> {
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
