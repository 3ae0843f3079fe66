import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { birthdayChecks } from '../../tunnel/nat/ice/birthday.ts'
import { need } from '../support/need.ts'
import { labAvailable } from './available.ts'
import { content, sha256 } from './content.ts'
import { inLab } from './lab.ts'
import { startWeb } from './services.ts'
import { fetchDigest, startSession } from './session.ts'

// A NAT that gives each destination another port, against one that lets in only the ports it has sent to: they
// meet by chance, within a stated number of packets.

const test = suite('Hard NATs')

const size = 2_000_000
/** Ordinary checks of 10 s, and answers. */
const ordinary = 300
/** One launch in some four thousand meets nobody, and the next tries again: a test takes the second. */
const launches = 2

for (const [client, exit] of [
  ['symmetric', 'port-restricted'],
  ['port-restricted', 'symmetric'],
] as const)
  test(`a ${client} client and a ${exit} function meet at a port that neither knew, and carry 2 MB intact`, () =>
    inLab({ client, function: exit }, async lab => {
      const web = await startWeb(lab)
      const session = await startSession(lab, 'ours')
      let outcome = await session.outcome()
      for (let launch = 1; outcome.type === 'exit.failed' && launch < launches; launch++)
        outcome = await session.outcome()
      if (outcome.type === 'exit.failed') throw new Error(outcome.message)

      assert.is(await fetchDigest(lab, `${web}/bytes/${size}`), sha256(content(size)))
      for (const side of ['client', 'function'] as const) {
        const sent = await lab.checksSent(side)
        assert.ok(sent <= launches * (birthdayChecks + ordinary), `the ${side} sent ${sent} checks`)
      }
      assert.is(await session.client.stop('SIGINT'), 0)
      await session.cloud.process.line(/"message":"ended"/)
    }))

if (labAvailable() && need(['curl'], ['curl'])) test.run()
