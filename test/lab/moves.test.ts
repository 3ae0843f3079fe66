import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { need } from '../support/need.ts'
import { labAvailable } from './available.ts'
import { inLab, type Lab } from './lab.ts'
import { startWeb } from './services.ts'
import { fetchText, type LabSession, startSession } from './session.ts'
import { countOf } from './wire.ts'

// The client's machine sleeps, and wakes on another network: what was open is gone, and the next page comes soon.

const test = suite('Sleep, wake and another network')

const homes = { client: 'port-restricted', function: 'port-restricted' } as const

/** Counts what leaves the home past the tunnel: to anybody but STUN servers, S3 and the exit. */
async function watchDirect(lab: Lab): Promise<() => Promise<number>> {
  const { stun1, stun2, s3, function: exit } = lab.address
  const rules = `table ip direct {
    counter sent_past { }
    counter sent_all { }
    chain sent {
      type filter hook forward priority filter;
      iifname lan counter name sent_all
      iifname lan ip daddr != { ${[stun1, stun2, s3, exit].join(', ')} } counter name sent_past
    }
  }`
  await lab.finish('clientNat', 'nft', [rules])
  const count = async (name: string) =>
    countOf(await lab.finish('clientNat', 'nft', ['-j', 'list', 'counter', 'ip', 'direct', name]))
  return async () => {
    const sent = await count('sent_past')
    assert.ok((await count('sent_all')) > 0, 'the client has sent something at all')
    // Something that goes direct would have been seen.
    await lab.finish('client', 'curl', ['-sSf', `http://${lab.address.web}/address`])
    assert.ok((await count('sent_past')) > sent)
    return sent
  }
}

/** The client's machine leaves its network for another one behind the same router. */
async function moveClient(lab: Lab, network: string): Promise<void> {
  await lab.finish('clientNat', 'ip', ['address', 'add', `${network}.1/30`, 'dev', 'lan'])
  await lab.finish('client', 'ip', ['address', 'flush', 'dev', 'eth0'])
  await lab.finish('client', 'ip', ['address', 'add', `${network}.2/30`, 'dev', 'eth0'])
  await lab.finish('client', 'ip', ['route', 'add', 'default', 'via', `${network}.1`])
}

/** Fetches a page at once, and tells how long it took. */
async function page(lab: Lab, web: string, when: string): Promise<void> {
  const asked = performance.now()
  assert.is(await fetchText(lab, `${web}/address`), lab.address.function)
  const seconds = ((performance.now() - asked) / 1_000).toFixed(1)
  console.log(`figure: next page ${when} ${seconds} s`)
}

interface Home {
  lab: Lab
  session: LabSession
  /** Fetches a page, and tells how long it took. */
  page(when: string): Promise<void>
}

/** Does it where a session is up, and sees that nothing goes direct meanwhile. */
const atHome = (act: (home: Home) => Promise<void>) =>
  inLab(homes, async lab => {
    const web = await startWeb(lab)
    const direct = await watchDirect(lab)
    const session = await startSession(lab, 'ours')
    const outcome = await session.outcome()
    if (outcome.type === 'exit.failed') throw new Error(outcome.message)
    await act({ lab, session, page: when => page(lab, web, when) })
    assert.is(await direct(), 0)
  })

test('on another network the next page comes soon, through another exit, and nothing goes direct', () =>
  atHome(async ({ lab, session, page }) => {
    await page('at home')
    for (const network of ['192.168.7', '192.168.8']) {
      await moveClient(lab, network)
      await page(`on ${network}.0`)
    }
    const said = session.client.said()
    const next = said.indexOf('"exit.launching"', said.indexOf('"network.changed"'))
    const lost = said.indexOf('"exit.closed"')
    assert.ok(
      next > 0 && (lost < 0 || next < lost),
      'the next exit was launched beside the one that was lost',
    )
  }))

test('after a minute stopped the next page comes soon, and nothing goes direct', () =>
  atHome(async ({ session, page }) => {
    await page('before')
    session.client.signal('SIGSTOP')
    await Bun.sleep(60_000)
    session.client.signal('SIGCONT')
    await page('after a minute stopped')
    await session.event('network.changed')
  }))

if (labAvailable() && need(['curl'], ['curl'])) test.run()
