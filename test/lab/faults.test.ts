import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { need } from '../support/need.ts'
import { until } from '../support/until.ts'
import { labAvailable } from './available.ts'
import { content, sha256 } from './content.ts'
import { inLab, type Lab } from './lab.ts'
import { startWeb } from './services.ts'
import { fetchDigest, fetchText, type LabSession, startSession } from './session.ts'

// What networks do to a session that is up: the path goes, comes back, moves, or loses packets.

const test = suite('Faults on the path')

const homes = { client: 'port-restricted', function: 'port-restricted' } as const
const size = 20_000_000
/** So that a transfer lasts ten seconds, and a fault can come in the middle of it. */
const slowly = '2M'

const figure = (name: string, value: string) => console.log(`figure: ${name} ${value}`)
const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`

async function ready(session: LabSession): Promise<string> {
  const outcome = await session.outcome()
  if (outcome.type === 'exit.failed') throw new Error(outcome.message)
  return outcome.session
}

/** Starts a slow transfer and waits until it is under way; its outcome is the digest, or what curl said. */
async function transfer(lab: Lab, web: string, bytes = size): Promise<{ outcome: Promise<string> }> {
  const file = join(lab.folder, 'transfer')
  const outcome = lab.finish('client', 'bash', [
    ...['-o', 'pipefail', '-c'],
    `curl -sSf --max-time 120 --limit-rate ${slowly} --socks5-hostname 127.0.0.1:1080 ${web}/bytes/${bytes} | tee ${file} | sha256sum`,
  ])
  const told = outcome.then(
    text => text.split(' ')[0]!,
    (error: Error) => error.message,
  )
  await until(() => Bun.file(file).size > size / 10, 'the first of it to come')
  return { outcome: told }
}

for (const blockedMs of [1_000, 5_000])
  test(`connections survive ${blockedMs / 1_000} s without UDP`, () =>
    inLab(homes, async lab => {
      const web = await startWeb(lab)
      const session = await startSession(lab, 'ours')
      await ready(session)
      const { outcome } = await transfer(lab, web)
      await lab.block('client')
      const blocked = performance.now()
      if (blockedMs > 3_000) {
        await session.event('exit.silent')
        figure(`UDP blocked for ${seconds(blockedMs)}, noticed after`, seconds(performance.now() - blocked))
      }
      await Bun.sleep(blockedMs - (performance.now() - blocked))
      await lab.unblock('client')
      const back = performance.now()
      assert.is(await fetchText(lab, `${web}/address`), lab.address.function)
      figure(
        `UDP blocked for ${seconds(blockedMs)}, first new connection done`,
        `${seconds(performance.now() - back)} after it was back`,
      )
      assert.is(await outcome, sha256(content(size)))
      figure(`UDP blocked for ${seconds(blockedMs)}, connections lost`, '0')
    }))

test('after 30 s without UDP a new exit comes up', () =>
  inLab(homes, async lab => {
    const web = await startWeb(lab)
    const session = await startSession(lab, 'ours')
    const first = await ready(session)
    // More than the client's window and buffers hold: what is there already would arrive all the same.
    const { outcome } = await transfer(lab, web, 5 * size)
    await lab.block('client')
    const blocked = performance.now()
    await session.event('exit.silent')
    figure('UDP blocked for 30 s, noticed after', seconds(performance.now() - blocked))
    assert.is((await session.event('exit.closed')).session, first)
    await Bun.sleep(30_000 - (performance.now() - blocked))
    await lab.unblock('client')
    const back = performance.now()
    await session.event('exit.ready')
    figure('UDP blocked for 30 s, next exit up', `${seconds(performance.now() - back)} after it was back`)
    assert.is(await fetchText(lab, `${web}/address`), lab.address.function)
    assert.is.not(await outcome, sha256(content(5 * size)))
  }))

test('a NAT that re-binds its ports loses the session, and a new exit comes up', () =>
  inLab(homes, async lab => {
    const web = await startWeb(lab)
    const session = await startSession(lab, 'ours')
    await ready(session)
    const { outcome } = await transfer(lab, web)
    await lab.rebind('client')
    const rebound = performance.now()
    await session.event('exit.silent')
    figure('NAT re-bound, noticed after', seconds(performance.now() - rebound))
    await session.event('exit.ready')
    figure('NAT re-bound, next exit up after', seconds(performance.now() - rebound))
    assert.is(await fetchText(lab, `${web}/address`), lab.address.function)
    figure('NAT re-bound, first new connection done after', seconds(performance.now() - rebound))
    figure('NAT re-bound, open transfer', (await outcome) === sha256(content(size)) ? 'survived' : 'lost')
  }))

for (const percent of [1, 5])
  test(`20 MB arrive intact with ${percent} % of the packets lost`, () =>
    inLab(homes, async lab => {
      const web = await startWeb(lab)
      const session = await startSession(lab, 'ours')
      await ready(session)
      await lab.loss('client', percent)
      const started = performance.now()
      assert.is(await fetchDigest(lab, `${web}/bytes/${size}`), sha256(content(size)))
      const took = performance.now() - started
      figure(
        `${percent} % loss, 20 MB intact in`,
        `${seconds(took)} (${((size * 8) / took / 1_000).toFixed(0)} Mbit/s)`,
      )
    }))

if (labAvailable() && need(['curl'], ['curl'])) test.run()
