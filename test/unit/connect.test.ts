import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Accounts } from '../../cli/client/accounts/accounts.ts'
import { makeLogin } from '../../cli/client/accounts/login.ts'
import { Ledger } from '../../cli/client/ledger/ledger.ts'
import { type Connect, connector } from '../../cli/client/outbound/connect.ts'
import { metered } from '../../cli/client/outbound/metered.ts'
import { type Outbound, type OutboundConn, OutboundError } from '../../cli/client/outbound/outbound.ts'
import { TargetError } from '../../cli/client/outbound/target-errors.ts'
import { createEvents, type ProxyEvent } from '../../cli/client/stats/events.ts'
import { reply } from '../../tunnel/session/frames/reply.ts'
import { FakeConn } from '../support/fake-conn.ts'

// What every protocol calls once it knows its target: what it tells, and what it passes on.

interface Context {
  conn: FakeConn
  told: ProxyEvent[]
  /** A connector whose tunnel gives `conn`, with this about it; or does this instead. */
  connectWith: (about: Partial<OutboundConn> | Outbound) => Connect
}

const test = suite<Context>('a connection to a target')
const target = { host: '192.0.2.2', port: 80 }
const bound = { host: '192.0.2.1', port: 1 }
const alive = () => ({ signal: new AbortController().signal })

test.before.each(context => {
  context.conn = new FakeConn()
  context.told = []
  const events = createEvents()
  events.subscribe(event => context.told.push(event))
  context.connectWith = about => {
    const tunnel: Outbound =
      typeof about === 'function'
        ? about
        : async () => ({ session: 'a', bound, conn: context.conn, ...about })
    const unused: Outbound = () => assert.unreachable('another outbound was asked') as never
    return connector({ outbounds: { tunnel, direct: unused, block: unused }, rules: () => [], events })
  }
})

const of = <T extends ProxyEvent['type']>({ told }: Context, type: T) =>
  told.filter((event): event is Extract<ProxyEvent, { type: T }> => event.type === type)

/** Uses a connection as somebody who reads and writes. */
function use(conn: ReturnType<Awaited<ReturnType<Connect>>['conn']>) {
  return conn.attach({ data() {}, end() {}, drain() {}, close() {} })
}

test('what goes each way is counted, and told with how it ended', async context => {
  const { conn: far, connectWith } = context
  const conn = (await connectWith({})(target, alive())).conn()
  use(conn)
  await Promise.resolve()
  conn.write(Buffer.from('question'))
  far.sayData(Buffer.from('the answer'))
  conn.end()
  far.sayEnd()
  far.sayClose(false)
  const [closed] = of(context, 'connection.closed')
  assert.equal([closed!.bytesUp, closed!.bytesDown, closed!.end], [8, 10, 'complete'])
  const [opened] = of(context, 'connection.opened')
  assert.is(closed!.connection, opened!.connection)
})

test('bytes that are handed back are counted once, by who gets them next', async context => {
  const { conn: far, connectWith } = context
  const conn = (await connectWith({})(target, alive())).conn()
  const detach = use(conn)
  await Promise.resolve()
  far.sayData(Buffer.from('head and body'))
  detach(Buffer.from('body'))
  use(conn)
  await Promise.resolve()
  far.sayClose(true)
  assert.is(of(context, 'connection.closed')[0]!.bytesDown, 'head and body'.length)
})

test('who broke it is told, and why where that is known', async context => {
  const { connectWith } = context
  for (const [brokenBy, abort, expected] of [
    [undefined, false, 'target-closed'],
    [undefined, true, 'client-closed'],
    ['deadline', false, 'deadline'],
    // It was the client all the same.
    ['deadline', true, 'client-closed'],
  ] as const) {
    const far = new FakeConn()
    const conn = (await connectWith({ conn: far, brokenBy: () => brokenBy })(target, alive())).conn()
    use(conn)
    if (abort) conn.abort(0)
    far.sayClose(true)
    assert.is(of(context, 'connection.closed').at(-1)!.end, expected)
  }
})

test('one that is over before anybody has it is told all the same', async context => {
  const { conn: far, connectWith } = context
  const connected = await connectWith({})(target, alive())
  far.sayClose(true)
  connected.conn()
  assert.is(of(context, 'connection.closed')[0]?.end, 'target-closed')
})

test('one that is used early is told when its target is reached, and its end behind that', async context => {
  const { conn: far, connectWith } = context
  const reached = Promise.withResolvers<void>()
  const conn = (await connectWith({ confirmed: reached.promise })(target, alive())).conn()
  use(conn)
  conn.write(Buffer.from('early'))
  far.sayClose(true)
  assert.equal(context.told, [])
  reached.resolve()
  await reached.promise
  await Promise.resolve()
  assert.equal(
    context.told.map(({ type }) => type),
    ['connection.opened', 'connection.closed'],
  )
  assert.is(of(context, 'connection.closed')[0]!.bytesUp, 5)
})

test('one that was used early in vain is told once, as what it was', async context => {
  const refused = Promise.reject(new TargetError('E_TARGET_REFUSED', target.host))
  await context.connectWith({ confirmed: refused })(target, alive())
  await new Promise(resolve => setImmediate(resolve))
  assert.equal(
    context.told.map(({ type }) => type),
    ['connection.refused'],
  )
})

test('whether another request may go on it is the outbound’s to say, and so is what becomes of it at rest', async ({
  connectWith,
}) => {
  assert.is((await connectWith({})(target, alive())).mayReuse(), true)
  assert.is((await connectWith({ mayReuse: () => false })(target, alive())).mayReuse(), false)
  const given: unknown[] = []
  const connected = await connectWith({ rest: giveUp => given.push(giveUp) })(target, alive())
  const giveUp = () => {}
  connected.rest(giveUp)
  connected.rest(undefined)
  assert.equal(given, [giveUp, undefined])
})

test('of a requester that has gone a refusal is told, and nothing else that failed', async context => {
  const gone = new AbortController()
  const failing = (error: Error) =>
    context.connectWith(async () => {
      gone.abort()
      throw error
    })(target, { signal: gone.signal })
  const lost = new OutboundError('exit-lost', reply.failure, { code: 'E_EXIT_LOST', message: 'gone' })
  for (const error of [lost, new TargetError('E_TARGET_REFUSED', target.host)])
    assert.is(await failing(error).catch(error => error), error)
  assert.equal(
    context.told.map(event => [event.type, 'code' in event && event.code]),
    [['connection.refused', 'E_TARGET_REFUSED']],
  )
})

test('what is no host is refused before any outbound is asked', async context => {
  const connect = context.connectWith(() => assert.unreachable('it was asked') as never)
  for (const host of ['', 'two words', 'a\u0000b', 'x'.repeat(256), 'ü'.repeat(128)]) {
    const error = await connect({ host, port: 80 }, alive()).catch(error => error)
    assert.is(error.code, 'E_TARGET_INVALID', host)
  }
})

const alice = makeLogin('test', 'alice', 'a', { connections: 1, quota: { bytes: 100, period: 'month' } })

test('a login’s place is free again when its target was not reached', async () => {
  const accounts = new Accounts({ events: createEvents(), ledger: new Ledger() })
  const refusing = metered(async () => {
    throw new TargetError('E_TARGET_REFUSED', target.host)
  }, accounts)
  for (let i = 0; i < 2; i++) {
    const error = await refusing(target, { login: alice, ...alive() }).catch(error => error)
    assert.is(error.code, 'E_TARGET_REFUSED')
  }
  accounts.close()
})

test('a connection that its login’s quota has cut is told as that', async context => {
  const accounts = new Accounts({ events: createEvents(), ledger: new Ledger() })
  const { conn: far, connectWith } = context
  const tunnel: Outbound = async () => ({ session: 'a', bound, conn: far, brokenBy: () => 'deadline' })
  const connected = await connectWith(metered(tunnel, accounts))(target, { login: alice, ...alive() })
  const conn = connected.conn()
  use(conn)
  await Promise.resolve()
  conn.write(Buffer.alloc(100))
  assert.equal(far.said.at(-1), 'abort')
  far.sayClose(true)
  assert.is(of(context, 'connection.closed')[0]!.end, 'quota')
  accounts.close()
})

test.run()
