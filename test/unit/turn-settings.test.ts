import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { settle } from '../../cli/config/load.ts'
import { relayOf } from '../../cli/config/relay.ts'
import { UsageError } from '../../cli/input/usage-error.ts'
import { readSettings } from '../../function/settings.ts'
import { loginOf, parseTurnCredentials } from '../../tunnel/nat/turn/credentials.ts'
import { formatTurnServer, parseTurnServer, parseTurnServers } from '../../tunnel/nat/turn/uri.ts'
import { RefusalError } from '../../tunnel/signalling/refusal.ts'

const test = suite('what names a TURN server')
const folder = mkdtempSync(join(tmpdir(), 'turn-settings-'))
test.after(() => rmSync(folder, { recursive: true }))

const complaint = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    assert.ok(error instanceof RangeError || error instanceof UsageError, String(error))
    return error.message
  }
  throw new Error('it was to fail')
}

test('URIs, with the ports and transports that RFC 7065 gives them', () => {
  for (const [text, host, port, transport] of [
    ['turn:turn.example.com', 'turn.example.com', 3478, 'udp'],
    ['turn:192.0.2.1:80?transport=tcp', '192.0.2.1', 80, 'tcp'],
    ['TURN:a.example:1?transport=UDP', 'a.example', 1, 'udp'],
    ['turns:turn.example.com', 'turn.example.com', 5349, 'tls'],
    ['turns:turn.example.com:443?transport=tcp', 'turn.example.com', 443, 'tls'],
  ] as const) {
    const server = parseTurnServer(text)
    assert.equal(server, { host, port, transport })
    assert.equal(parseTurnServer(formatTurnServer(server)), server)
  }
})

test('what is no TURN URI is refused, and a login within it is not repeated', () => {
  for (const text of [
    'stun:a.example',
    'a.example:3478',
    'turn:',
    'turn:a.example:0',
    'turn:a.example:65536',
  ])
    assert.match(
      complaint(() => parseTurnServer(text)),
      'is not a TURN server',
    )
  assert.match(
    complaint(() => parseTurnServer('turn:a.example?transport=sctp')),
    'udp or tcp',
  )
  assert.match(
    complaint(() => parseTurnServer('turns:a.example?transport=udp')),
    'DTLS',
  )
  const said = complaint(() => parseTurnServer('turn:someone:hunter2@a.example'))
  assert.match(said, 'no place for a login')
  assert.not.match(said, 'hunter2')
  assert.match(
    complaint(() => parseTurnServers('turn:a,turn:b,turn:c,turn:d,turn:e')),
    '4 TURN servers',
  )
})

test('credentials: a login, whatever is in its password, or a secret', () => {
  assert.equal(parseTurnCredentials('someone:a:b c'), { username: 'someone', password: 'a:b c' })
  assert.equal(parseTurnCredentials('secret=x:y'), { secret: 'x:y' })
  for (const text of ['', 'hunter2', ':hunter2', 'hunter2:', 'secret='])
    assert.not.match(
      complaint(() => parseTurnCredentials(text)),
      'hunter2',
    )
})

test('credentials made from a secret expire after an hour, and are those that coturn makes', () => {
  // echo -n 1700003600:lambda-nat-proxy | openssl dgst -sha1 -hmac secret -binary | base64
  assert.equal(loginOf({ secret: 'secret' }, 1_700_000_000_123), {
    username: '1700003600:lambda-nat-proxy',
    password: 'Oo2vVErlfkNYiqwIHncLXxH0k5o=',
  })
})

test('the error of an option or a variable does not repeat a login', () => {
  for (const turn of ['turn:someone:hunter2@a.example', 'turn://someone:hunter2@a.example']) {
    assert.not.match(
      complaint(() => settle({ turn }, {})),
      'hunter2',
    )
    assert.not.match(
      complaint(() => settle({}, { LAMBDA_NAT_PROXY_PROXY_TURN: turn })),
      'hunter2',
    )
  }
})

const settings = (flags: Record<string, string>) => settle(flags, {})
const auth = 'someone:pass'

const rejection = (running: Promise<unknown>): Promise<string> =>
  running.then(
    () => assert.unreachable('it was to fail') as never,
    error =>
      complaint(() => {
        throw error
      }),
  )

test('without a server nothing is lent, and nothing with --path direct', async () => {
  assert.is(await relayOf(settings({}), { env: {} }), undefined)
  assert.is(await relayOf(settings({ turn: 'turn:a.example', path: 'direct' }), { env: {} }), undefined)
  assert.match(await rejection(relayOf(settings({ path: 'relay' }), { env: {} })), '--turn')
})

test('credentials come from an option, a variable or a file, and from one of them', async () => {
  const named = settings({ turn: 'turn:a.example' })
  assert.ok(await relayOf(named, { auth, env: {} }))
  assert.ok(await relayOf(named, { env: { LAMBDA_NAT_PROXY_TURN_AUTH: auth } }))
  assert.match(await rejection(relayOf(named, { env: {} })), 'needs credentials')
  const file = join(folder, 'auth')
  writeFileSync(file, `${auth}\n`)
  const withFile = settings({ turn: 'turn:a.example', 'turn-auth-file': file })
  assert.ok(await relayOf(withFile, { env: {} }))
  assert.match(await rejection(relayOf(withFile, { auth, env: {} })), 'given twice')
  writeFileSync(file, 'nothing of the kind')
  const said = await rejection(relayOf(withFile, { env: {} }))
  assert.match(said, `--turn-auth-file ${file}: credentials are user:password`)
  assert.not.match(said, 'nothing of the kind')
  for (const [options, where] of [
    [{ auth: 'hunter2', env: {} }, '--turn-auth: credentials are'],
    [{ env: { LAMBDA_NAT_PROXY_TURN_AUTH: 'hunter2' } }, 'LAMBDA_NAT_PROXY_TURN_AUTH: credentials are'],
  ] as const) {
    const wrong = await rejection(relayOf(named, options))
    assert.match(wrong, where)
    assert.not.match(wrong, 'hunter2')
  }
  const missing = settings({ turn: 'turn:a.example', 'turn-auth-file': join(folder, 'missing') })
  assert.match(
    await rejection(relayOf(missing, { env: {} })),
    `--turn-auth-file ${join(folder, 'missing')} cannot be read`,
  )
})

test('a file of certificates has some', async () => {
  const file = join(folder, 'ca.pem')
  writeFileSync(file, 'not one')
  const named = settings({ turn: 'turns:a.example', 'turn-ca': file })
  assert.match(await rejection(relayOf(named, { auth, env: {} })), `--turn-ca ${file} has no certificate`)
})

test('--path relay is passed on', async () => {
  assert.is(
    (await relayOf(settings({ turn: 'turn:a.example', path: 'relay' }), { auth, env: {} }))?.only,
    true,
  )
  assert.is((await relayOf(settings({ turn: 'turn:a.example' }), { auth, env: {} }))?.only, false)
})

test("a deployment's: both variables or neither, and what is wrong is named without the credentials", () => {
  const TURN_SERVERS = 'turn:a.example,turns:a.example:443?transport=tcp'
  assert.is(readSettings({}).relay, undefined)
  assert.is(readSettings({ TURN_SERVERS: '', TURN_AUTH: '' }).relay, undefined)
  const { relay } = readSettings({ TURN_SERVERS, TURN_AUTH: auth })
  assert.is(relay?.only, false)
  // It remembers, from session to session, whether the servers are worth waiting for.
  assert.is(readSettings({ TURN_SERVERS, TURN_AUTH: auth }).relay, relay)
  for (const [env, variable] of [
    [{ TURN_SERVERS }, 'TURN_AUTH'],
    [{ TURN_SERVERS: 'a.example', TURN_AUTH: auth }, 'TURN_SERVERS'],
    [{ TURN_SERVERS, TURN_AUTH: 'hunter2' }, 'TURN_AUTH'],
  ] as const)
    assert.throws(
      () => readSettings(env),
      (error: unknown) =>
        error instanceof RefusalError &&
        error.code === 'E_EXIT_SETTINGS' &&
        error.message.includes(variable) &&
        !error.message.includes('hunter2'),
    )
})

test.run()
