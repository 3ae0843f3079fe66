import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { need } from '../support/need.ts'
import { until } from '../support/until.ts'
import { labAvailable } from './available.ts'
import { content, sha256 } from './content.ts'
import { inLab, type Lab } from './lab.ts'
import { startTurn, startWeb } from './services.ts'
import { fetchDigest, type LabSession, startSession } from './session.ts'

// A session that began over a relay, since nothing direct was found then, and finds it later.

const test = suite('From a relay to a direct path')
const size = 100_000_000

/** Slow enough that the path can change in the middle of it. */
async function transfer(lab: Lab, web: string) {
  const file = join(lab.folder, 'transfer')
  const done = lab.finish('client', 'bash', [
    ...['-o', 'pipefail', '-c'],
    `curl -sSf --max-time 120 --limit-rate 10M --socks5-hostname 127.0.0.1:1080 ${web}/bytes/${size} | tee ${file} | sha256sum`,
  ])
  await until(() => Bun.file(file).size > size / 20, 'the first of it to come')
  return { digest: done.then(text => text.split(' ')[0]) }
}

async function readyByRelay(session: LabSession): Promise<void> {
  const outcome = await session.outcome()
  if (outcome.type === 'exit.failed') throw new Error(`${outcome.code}: ${outcome.message}`)
  assert.is(outcome.candidate, 'relayed')
}

for (const [engine, lender] of [
  ['native', 'client'],
  ['quiche', 'function'],
] as const)
  test(`not a byte of a transfer is lost (QUIC by ${engine}, the address lent to the ${lender})`, () =>
    inLab({ client: 'port-restricted', function: 'port-restricted' }, async lab => {
      const web = await startWeb(lab)
      const turn = await startTurn(lab)
      await lab.block('client', 'peer')
      const use = lender === 'client' ? turn.use() : { variables: turn.ofFunction }
      const session = await startSession(lab, 'ours', { ...use, engine })
      await readyByRelay(session)
      const { digest } = await transfer(lab, web)
      await lab.unblock('client')
      assert.not.equal((await session.event('exit.moved')).candidate, 'relayed')
      await session.cloud.process.line(/moved to a direct path/)
      // From here on it is not needed.
      await turn.process.stop('SIGKILL')
      assert.is(await digest, sha256(content(size)))
      assert.is(await fetchDigest(lab, `${web}/bytes/1000000`), sha256(content(1_000_000)))
    }))

for (const [client, exit] of [
  ['symmetric', 'port-restricted'],
  ['port-restricted', 'symmetric'],
] as const)
  test(`a ${client} client and a ${exit} function have a relay at once, and meet by chance behind it`, () =>
    inLab({ client, function: exit }, async lab => {
      const web = await startWeb(lab)
      const turn = await startTurn(lab)
      const session = await startSession(lab, 'ours', turn.use())
      const outcome = await session.outcome()
      if (outcome.type === 'exit.failed') throw new Error(`${outcome.code}: ${outcome.message}`)
      const { digest } = await transfer(lab, web)
      // One launch in some four thousand meets nobody; one in three is as quick as the relay.
      if (outcome.candidate === 'relayed') await session.event('exit.moved')
      assert.is(await digest, sha256(content(size)))
    }))

if (labAvailable() && need(['coturn', 'curl'], ['turnserver', 'curl'])) test.run()
