import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { needNativeEngine } from '../support/engines.ts'
import { need } from '../support/need.ts'
import { labAvailable } from './available.ts'
import { content, sha256 } from './content.ts'
import { inLab } from './lab.ts'
import { startTurn, startWeb } from './services.ts'
import { fetchDigest, startSession } from './session.ts'

// Networks that let no UDP out: there is no path but by a TURN server, over TLS.

const test = suite('Networks without UDP')

const homes = { client: 'port-restricted', function: 'port-restricted' } as const
const size = 5_000_000
const engines = (await needNativeEngine()) ? (['native', 'quiche'] as const) : (['quiche'] as const)

for (const [network, what] of [
  ['drops UDP', 'udp'],
  ['lets out TCP to port 443 alone', 'all-but-https'],
] as const) {
  test(`a network that ${network} ends in an error that says so, and what to do`, () =>
    inLab(homes, async lab => {
      await lab.block('client', what)
      const outcome = await (await startSession(lab, 'ours')).outcome()
      if (outcome.type === 'exit.ready') throw new Error('it connected')
      assert.equal([outcome.code, outcome.step], ['E_STUN_UNREACHABLE', 'stun'])
      for (const advice of ['UDP may be blocked', 'another network', '--turn'])
        assert.match(outcome.hint!, advice)
    }))

  for (const engine of engines)
    test(`a network that ${network} is left by TURN over TLS (${engine})`, () =>
      inLab(homes, async lab => {
        const web = await startWeb(lab)
        const turn = await startTurn(lab)
        await lab.block('client', what)
        const session = await startSession(lab, 'ours', { ...turn.use(turn.tls), engine })
        const outcome = await session.outcome()
        if (outcome.type === 'exit.failed') throw new Error(outcome.message)
        assert.is(outcome.candidate, 'relayed')
        assert.is(await fetchDigest(lab, `${web}/bytes/${size}`), sha256(content(size)))
        assert.is(await session.client.stop('SIGINT'), 0)
      }))
}

if (labAvailable() && need(['coturn', 'curl'], ['turnserver', 'curl'])) test.run()
