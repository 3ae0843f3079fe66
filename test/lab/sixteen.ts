import { labAvailable } from './available.ts'
import { inLab, type Side } from './lab.ts'
import { type NatKind, natKinds } from './nat.ts'
import { startSession } from './session.ts'

// Every pair of NATs, client × function, each tried once: a markdown table of what connects, how fast, and with how many packets.
//
//     bun test/lab/sixteen.ts

const kinds = natKinds.filter(kind => kind !== 'none')

if (!labAvailable()) process.exit(1)
console.log('| client | function | connects | punch | whole set-up | checks sent, client + function |')
console.log('|---|---|---|---:|---:|---:|')
for (const client of kinds) for (const exit of kinds) console.log(await tried({ client, function: exit }))

// --- internal ---

/** One row of the table. */
async function tried(pair: Record<Side, NatKind>): Promise<string> {
  const cells = await inLab(pair, async lab => {
    const session = await startSession(lab, 'ours')
    const outcome = await session.outcome()
    const checks = `${await lab.checksSent('client')} + ${await lab.checksSent('function')}`
    if (outcome.type === 'exit.failed') return [`no: ${reason(outcome.message)}`, '', '', checks]
    const punch = /"step":"punch","ms":([\d.]+)/.exec(session.client.said())?.[1]
    return ['yes', milliseconds(Number(punch)), milliseconds(outcome.setUpMs), checks]
  })
  return `| ${[pair.client, pair.function, ...cells].join(' | ')} |`
}

/** The first words of what the error says about the NATs. */
function reason(message: string): string {
  return /responses: ([^,.:;]+)/.exec(message)?.[1] ?? message
}

function milliseconds(ms: number): string {
  return `${Math.round(ms)} ms`
}
