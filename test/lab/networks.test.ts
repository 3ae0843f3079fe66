import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { needNativeEngine } from '../support/engines.ts'
import { need } from '../support/need.ts'
import { labAvailable, tunAvailable } from './available.ts'
import { content, sha256 } from './content.ts'
import { inLab, type Kinds, type Lab } from './lab.ts'
import { startWeb } from './services.ts'
import { fetchDigest, fetchText, type LabSession, startSession } from './session.ts'

// Networks that people have, a story each: what a session does there, by either engine.

const test = suite('Networks')

const homes = { client: 'port-restricted', function: 'port-restricted' } as const
const size = 5_000_000
const engines = (await needNativeEngine()) ? (['native', 'quiche'] as const) : (['quiche'] as const)

async function ready(session: LabSession): Promise<string> {
  let outcome = await session.outcome()
  // Behind a symmetric NAT one launch in some four thousand meets nobody.
  if (outcome.type === 'exit.failed') outcome = await session.outcome()
  if (outcome.type === 'exit.failed') throw new Error(outcome.message)
  return outcome.session
}

async function carries(lab: Lab, web: string): Promise<void> {
  assert.is(await fetchText(lab, `${web}/address`), lab.address.function)
  assert.is(await fetchDigest(lab, `${web}/bytes/${size}`), sha256(content(size)))
}

/** A story for each engine; `tell` gets a session that is up. */
function story(
  name: string,
  kinds: Kinds,
  prepare: (lab: Lab) => Promise<void>,
  tell: (lab: Lab, session: LabSession, web: string, id: string) => Promise<void>,
): void {
  for (const engine of engines)
    test(`${name} (${engine})`, () =>
      inLab(kinds, async lab => {
        const web = await startWeb(lab)
        await prepare(lab)
        const session = await startSession(lab, 'ours', { engine })
        await tell(lab, session, web, await ready(session))
      }))
}

const asItIs = async () => {}

story(
  'a NAT that forgets after 3 s keeps the mapping of a session that rests for 7 s',
  homes,
  async lab => {
    await lab.forgetAfter('client', 3)
    await lab.forgetAfter('function', 3)
  },
  async (lab, session, web, id) => {
    await Bun.sleep(7_000)
    await carries(lab, web)
    assert.match(session.client.said(), id)
    assert.not.match(session.client.said(), '"exit.closed"')
  },
)

story(
  'a NAT that gets another address in mid-session: a new exit takes over',
  homes,
  asItIs,
  async (lab, session, web, id) => {
    await carries(lab, web)
    await lab.renumber('client')
    const renumbered = performance.now()
    const after = () => `${((performance.now() - renumbered) / 1_000).toFixed(1)} s`
    assert.is((await session.event('exit.silent')).session, id)
    console.log(`figure: another address, noticed after ${after()}`)
    assert.is.not((await session.event('exit.ready')).session, id)
    console.log(`figure: another address, next exit up after ${after()}`)
    await carries(lab, web)
  },
)

for (const carrier of ['port-restricted', 'symmetric'] as const)
  story(
    `a ${carrier} NAT of the provider’s beyond the one at home is passed as if it were one`,
    { ...homes, carrier },
    asItIs,
    async (lab, _, web) => carries(lab, web),
  )

if (tunAvailable())
  story(
    'an upstream that reorders a fifth and duplicates a tenth of the packets delivers everything once and in order',
    homes,
    lab => lab.disturb({ reordered: 20, duplicated: 10 }),
    async (lab, session, web) => {
      await carries(lab, web)
      assert.not.match(session.client.said(), '"exit.closed"')
    },
  )

if (labAvailable() && need(['curl', 'python3'], ['curl', 'python3'])) test.run()
