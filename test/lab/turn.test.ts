import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ProxyEvent } from '../../cli/client/stats/events.ts'
import { need } from '../support/need.ts'
import { until } from '../support/until.ts'
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

test('two symmetric NATs connect, and carry 5 MB intact', () =>
  inLab({ client: 'symmetric', function: 'symmetric' }, async lab => {
    const web = await startWeb(lab)
    const turn = await startTurn(lab)
    const session = await startSession(lab, 'ours', turn.use())
    assert.is((await ready(session)).candidate, 'relayed')
    assert.is(await fetchDigest(lab, `${web}/bytes/${size}`), sha256(content(size)))
    assert.is(await session.client.stop('SIGINT'), 0)
    await session.cloud.process.line(/"message":"ended"/)
  }))

test('a network that lets out TCP alone connects by TURN over TLS, in both directions of the traffic', () =>
  inLab({ client: 'port-restricted', function: 'port-restricted' }, async lab => {
    const web = await startWeb(lab)
    const turn = await startTurn(lab)
    await lab.block('client')
    const session = await startSession(lab, 'ours', turn.use(turn.tls))
    assert.is((await ready(session)).candidate, 'relayed')
    assert.is(await fetchDigest(lab, `${web}/bytes/${size}`), sha256(content(size)))
    const posted = await lab.finish('client', 'bash', [
      ...['-o', 'pipefail', '-c'],
      `head -c ${size} /dev/zero | curl -sSf --max-time 60 --socks5-hostname 127.0.0.1:1080 --data-binary @- ${web}/echo | sha256sum`,
    ])
    assert.is(posted.split(' ')[0], sha256(Buffer.alloc(size)))
  }))

test('a session moves from the relay to a direct path without losing a byte', () =>
  inLab({ client: 'port-restricted', function: 'port-restricted' }, async lab => {
    const web = await startWeb(lab)
    const turn = await startTurn(lab)
    await lab.block('client', 'peer')
    const session = await startSession(lab, 'ours', turn.use())
    assert.is((await ready(session)).candidate, 'relayed')
    const length = 20 * size
    const file = join(lab.folder, 'transfer')
    const transfer = lab.finish('client', 'bash', [
      ...['-o', 'pipefail', '-c'],
      `curl -sSf --max-time 120 --limit-rate 8M --socks5-hostname 127.0.0.1:1080 ${web}/bytes/${length} | tee ${file} | sha256sum`,
    ])
    await until(() => Bun.file(file).size > length / 20, 'the first of it to come')
    await lab.unblock('client')
    assert.not.equal((await session.event('exit.moved')).candidate, 'relayed')
    // From here on it is not needed.
    await turn.process.stop('SIGKILL')
    assert.is((await transfer).split(' ')[0], sha256(content(length)))
    assert.is(await fetchDigest(lab, `${web}/bytes/${size}`), sha256(content(size)))
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
