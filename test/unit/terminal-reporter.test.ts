import { consola } from 'consola'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { TargetError } from '../../cli/client/outbound/target-errors.ts'
import type { ProxyEvent } from '../../cli/client/stats/events.ts'
import { refusalLines } from '../../cli/output/refusal-lines.ts'
import { terminalReporter } from '../../cli/output/terminal-reporter.ts'
import { launchFailed, running } from '../support/terminal.ts'

const test = suite('what the terminal shows')

test('why connections fail is told once until an exit comes up, and with --verbose each time', () => {
  const failed = (connection: number): ProxyEvent => ({
    type: 'connection.failed',
    connection,
    outbound: 'tunnel',
    target: 'secret.example:443',
    code: 'E_EXIT_TIMEOUT',
    message: 'no exit came up',
  })
  const warnings = (verbose: boolean) => {
    const said: string[] = []
    consola.mockTypes(type => (text: string) => type === 'warn' && said.push(text))
    const show = terminalReporter({ verbose }, running().model)
    for (const event of [failed(1), failed(2), up, failed(3)]) show.event(event)
    return said
  }
  assert.equal(warnings(false), [
    'Connection #1 failed: no exit came up',
    'Connection #3 failed: no exit came up',
  ])
  assert.equal(
    warnings(true),
    [1, 2, 3].map(n => `Connection #${n} to secret.example:443 failed: no exit came up`),
  )
})

/** What a person reads of these events, each with its kind. */
function said(options: Parameters<typeof terminalReporter>[0], ...told: ProxyEvent[]): string[] {
  const lines: string[] = []
  consola.mockTypes(type => (text: string) => lines.push(`${type} ${text}`))
  const { events, model } = running()
  const show = terminalReporter(options, model)
  events.subscribe(show.event)
  for (const event of told) events.emit(event)
  show.close()
  return lines
}

const up: ProxyEvent = {
  type: 'exit.ready',
  session: 'a',
  region: 'eu-west-1',
  address: '192.0.2.1',
  remainingMs: 600_000,
  replaceMs: 570_000,
  setUpMs: 1_234,
  memoryMb: 256,
  engines: { client: 'quiche 0.18.0', exit: 'quiche 0.18.0' },
}
const listener = { scheme: 'mixed', host: '127.0.0.1', port: 1080 } as const
const proxyReady: ProxyEvent = {
  type: 'proxy.ready',
  host: listener.host,
  port: listener.port,
  listeners: [listener],
  address: '192.0.2.1',
}

test('an exit is a line; its steps and ids are told with --verbose', () => {
  const launching: ProxyEvent = { type: 'exit.launching', session: 'a', region: 'eu-west-1' }
  const step: ProxyEvent = { type: 'exit.step', session: 'a', step: 'stun', ms: 1, detail: 'seen' }
  const quiet = said({ verbose: false }, launching, step, up, proxyReady, launching, step, up)
  assert.equal(quiet.filter(line => !line.startsWith('box')).slice(0, 3), [
    'start Starting an exit in eu-west-1',
    'success Exit 192.0.2.1 in eu-west-1 ready after 1.2 s, replaced in 9 min 30 s',
    'success Exit 192.0.2.1 in eu-west-1 ready after 1.2 s, replaced in 9 min 30 s',
  ])
  const verbose = said({ verbose: true }, launching, step, up).join()
  for (const words of ['STUN: seen', '[a]', 'set-up: STUN 1.0 ms']) assert.match(verbose, words)
})

test('when the first exit is up it says where to connect, how to try it and how to stop it', () => {
  const dashboard: ProxyEvent = { type: 'dashboard.ready', url: 'http://127.0.0.1:8081/' }
  const box = (local: boolean) =>
    said({ verbose: false, local }, dashboard, up, proxyReady).find(line => line.startsWith('box'))!
  for (const words of [
    'Proxy ready on 127.0.0.1:1080 (SOCKS5 and HTTP)',
    'Exit address 192.0.2.1',
    'Dashboard http://127.0.0.1:8081/',
    'curl --proxy socks5h://127.0.0.1:1080 https://example.org',
    'Ctrl-C',
  ])
    assert.match(box(false), words)
  assert.match(box(true), 'your address does not change')
  const lines = said({ verbose: false, managed: true }, dashboard, up, proxyReady)
  assert.ok(lines.includes('success Proxy ready on 127.0.0.1:1080 (SOCKS5 and HTTP)'))
  assert.not.match(lines.join(), 'Ctrl-C')
})

test('an exit that drains, falls silent or ends is named by its address', () => {
  const lines = said(
    { verbose: false },
    up,
    { type: 'exit.silent', session: 'a', silent: true },
    { type: 'exit.silent', session: 'a', silent: false },
    { type: 'exit.draining', session: 'a', connections: 3, remainingMs: 10_000 },
    { type: 'exit.closed', session: 'a', code: 'E_QUIC_CLOSED', message: 'drained' },
  )
  assert.equal(lines.slice(1), [
    'warn Exit 192.0.2.1 does not respond: new connections use other exits',
    'info Exit 192.0.2.1 responds again',
    'info Draining exit 192.0.2.1: 3 connections, 10 s left',
    'info Closing exit 192.0.2.1',
  ])
  const lost = { type: 'exit.closed', session: 'a', code: 'E_QUIC_TIMEOUT', message: 'no answer' } as const
  assert.is(said({ verbose: false }, up, lost).at(-1), 'warn Exit 192.0.2.1 ended: no answer')
})

test('sleep and wake are told, with the time that the wake took', () => {
  const lines = said(
    { verbose: false },
    up,
    { type: 'exit.draining', session: 'a', connections: 0, remainingMs: 600_000 },
    { type: 'fleet.asleep', idleMs: 900_000 },
    { type: 'fleet.waking' },
    { type: 'fleet.awake', ms: 1_240 },
  )
  assert.equal(lines.slice(1), [
    'info Asleep: no connection for 15 min, so no exit runs. The next connection starts one',
    'start Waking: a connection asks for an exit',
    'info Awake after 1.2 s',
  ])
})

test('a launch that fails is told once with what to do, and when it is tried again', () => {
  assert.equal(said({ verbose: false }, launchFailed, { ...launchFailed, repeated: true }), [
    'error Offer: the bucket b does not exist. Check --bucket and --region, or run "lambda-nat-proxy deploy".',
    'info Retrying eu-west-1 in 4 s',
  ])
})

test('the last line says how long it ran and what it carried; of a proxy that never was ready there is none', () => {
  assert.match(said({ verbose: false }, up, proxyReady).at(-1)!, /^success Stopped\. .+, 0 B$/)
  assert.not.match(said({ verbose: false }, up).join(), 'Stopped')
})

test("what the function's log says does nothing to the terminal", () => {
  const said: string[] = []
  consola.mockTypes(() => (text: string) => said.push(text))
  const show = terminalReporter({ verbose: true }, running().model)
  show.event({
    type: 'function.log',
    session: undefined,
    level: 'ERROR',
    message: 'clear \u001b[2J',
    fields: { target: 'a\u0007b', nested: ['\u202e'] },
  })
  assert.equal(said, ['function ERROR clear \ufffd[2J target=a\ufffdb nested=["\ufffd"]'])
})

test('a kind of refusal is told once a minute, with the way out and without the target', () => {
  const clock = { now: 0 }
  const line = refusalLines(false, () => clock.now)
  const { code, message, hint, reply } = new TargetError('E_TARGET_PRIVATE', '127.0.0.1')
  const refused = {
    type: 'connection.refused',
    connection: 1,
    outbound: 'tunnel',
    target: 'secret.example:443',
    reply,
    code,
    message,
    ...(hint && { hint }),
  } as const
  const first = line(refused)
  assert.is(
    first,
    'Connection refused: the target is a private address, which this exit refuses. Set allow_private in the deployment to let its exits reach such addresses.',
  )
  assert.is(
    refusalLines(true)(refused),
    'Connection refused: the target is a private address, which this exit refuses. Start with --allow-private to let the exits reach such addresses.',
  )
  assert.is(line(refused), undefined)
  assert.match(line({ ...refused, code: 'E_TARGET_REFUSED' }) ?? '', 'Connection refused')
  assert.is(line({ ...refused, code: 'E_TARGET_BLOCKED' }), undefined)
  clock.now = 59_999
  assert.is(line(refused), undefined)
  clock.now = 60_000
  assert.is(line(refused), `${first} (2 more since the last such line)`)
})

test('a rejected client is told once a minute, but not one that is to be asked for its login', () => {
  const clock = { now: 0 }
  const line = refusalLines(false, () => clock.now)
  const rejected = {
    type: 'client.rejected',
    protocol: 'http',
    code: 'E_LOGIN_WRONG',
    message: 'wrong',
  } as const
  assert.is(line(rejected), 'Rejected HTTP client: wrong')
  assert.is(line(rejected), undefined)
  assert.is(line({ ...rejected, code: 'E_LOGIN_REQUIRED' }), undefined)
  assert.is(
    line({ ...rejected, protocol: 'socks5', code: 'E_LOGIN_REQUIRED', message: 'no login' }),
    'Rejected SOCKS5 client: no login',
  )
})

test('a refusal is a warning on the terminal; with --verbose each one is told with its target', () => {
  const { code, message, reply } = new TargetError('E_TARGET_REFUSED', '192.0.2.1')
  const event = {
    type: 'connection.refused',
    connection: 7,
    outbound: 'direct',
    target: '192.0.2.1:80',
    reply,
    code,
    message,
  } as const
  const said: string[] = []
  consola.mockTypes(type => (text: string) => said.push(`${type} ${text}`))
  for (const verbose of [false, true]) {
    const show = terminalReporter({ verbose }, running().model)
    show.event(event)
    show.event(event)
  }
  const verboseLine = 'log #7 192.0.2.1:80 refused (E_TARGET_REFUSED): the target refused the connection'
  assert.equal(said, ['warn Connection refused: the target refused the connection', verboseLine, verboseLine])
})

test('whatever a client names as its target, it does not act on the terminal', () => {
  const about = { connection: 1, outbound: 'tunnel', target: 'a\u001b[2J\u202eb:443' } as const
  const error = { code: 'E_TARGET_INVALID', message: 'the target is not a valid host and port' }
  const lines = said(
    { verbose: true },
    { type: 'connection.opened', ...about, session: undefined, ms: 1 },
    { type: 'connection.refused', ...about, ...error, reply: 1 },
    { type: 'connection.failed', ...about, ...error },
  )
  assert.is(lines.length, 3)
  for (const sign of ['\u001b', '\u202e']) assert.not.match(lines.join(), sign)
})

test.run()
