import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ProxyEvent } from '../../cli/client/stats/events.ts'
import { engineNames } from '../../tunnel/quic/engines/engines.ts'
import { need } from '../support/need.ts'
import { labAvailable } from './available.ts'
import { content, sha256 } from './content.ts'
import { inLab } from './lab.ts'
import { startTurn, startWeb } from './services.ts'
import { fetchDigest, type LabSession, startSession } from './session.ts'

// A TURN server on the internet of the lab, for those whom nothing else helps.

const test = suite('By a relay')
const size = 5_000_000

async function ready(session: LabSession): Promise<Extract<ProxyEvent, { type: 'exit.ready' }>> {
  const outcome = await session.outcome()
  if (outcome.type === 'exit.failed') throw new Error(`${outcome.code}: ${outcome.message}`)
  return outcome
}

for (const engine of engineNames)
  test(`two symmetric NATs connect, and carry 5 MB intact (QUIC by ${engine})`, () =>
    inLab({ client: 'symmetric', function: 'symmetric' }, async lab => {
      const web = await startWeb(lab)
      const turn = await startTurn(lab)
      const session = await startSession(lab, 'ours', { ...turn.use(), engine })
      assert.is((await ready(session)).candidate, 'relayed')
      assert.is(await fetchDigest(lab, `${web}/bytes/${size}`), sha256(content(size)))
      assert.is(await session.client.stop('SIGINT'), 0)
      await session.cloud.process.line(/"message":"ended"/)
    }))

test('an address that the function borrows connects them as well, and the client needs no credentials', () =>
  inLab({ client: 'symmetric', function: 'symmetric' }, async lab => {
    const web = await startWeb(lab)
    const turn = await startTurn(lab)
    const session = await startSession(lab, 'ours', { variables: turn.ofFunction })
    assert.is((await ready(session)).candidate, 'relayed')
    assert.is(await fetchDigest(lab, `${web}/bytes/${size}`), sha256(content(size)))
    assert.not.match(session.cloud.process.said(), 'pass word')
  }))

test('a network that lets out TCP to port 443 alone connects by TURN over TLS, for traffic both ways', () =>
  inLab({ client: 'port-restricted', function: 'port-restricted' }, async lab => {
    const web = await startWeb(lab)
    const turn = await startTurn(lab)
    await lab.block('client', 'all-but-https')
    const session = await startSession(lab, 'ours', turn.use(turn.tls))
    assert.is((await ready(session)).candidate, 'relayed')
    assert.is(await fetchDigest(lab, `${web}/bytes/${size}`), sha256(content(size)))
    const posted = await lab.finish('client', 'bash', [
      ...['-o', 'pipefail', '-c'],
      `head -c ${size} /dev/zero | curl -sSf --max-time 60 --socks5-hostname 127.0.0.1:1080 --data-binary @- ${web}/echo | sha256sum`,
    ])
    assert.is(posted.split(' ')[0], sha256(Buffer.alloc(size)))
  }))

test('with --path relay nothing else is tried, and the function learns no address of the client', () =>
  inLab({ client: 'full-cone', function: 'full-cone' }, async lab => {
    const web = await startWeb(lab)
    const turn = await startTurn(lab)
    const { args, ...use } = turn.use()
    const session = await startSession(lab, 'ours', { ...use, args: [...args, '--path', 'relay'] })
    assert.is((await ready(session)).candidate, 'relayed')
    assert.is(await fetchDigest(lab, `${web}/bytes/${size}`), sha256(content(size)))
    assert.not.match(session.cloud.process.said(), lab.address.client)
  }))

test('where a direct path is found, a relay that does not work changes nothing but a warning', () =>
  inLab({ client: 'port-restricted', function: 'port-restricted' }, async lab => {
    const turn = await startTurn(lab)
    const environment = { LAMBDA_NAT_PROXY_TURN_AUTH: 'someone:wrong' }
    const session = await startSession(lab, 'ours', { ...turn.use(), environment })
    assert.is((await ready(session)).candidate, 'server-reflexive')
    const { code, message, hint } = await session.event('relay.failed')
    assert.is(code, 'E_TURN_CREDENTIALS')
    assert.ok(hint)
    assert.not.match(message, 'wrong')
  }))

if (labAvailable() && need(['coturn', 'curl'], ['turnserver', 'curl'])) test.run()
