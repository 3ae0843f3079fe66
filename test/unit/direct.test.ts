import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { direct } from '../../cli/client/outbound/direct.ts'
import type { OutboundError } from '../../cli/client/outbound/outbound.ts'
import { reply } from '../../tunnel/session/frames/reply.ts'
import { freePort } from '../support/free-port.ts'
import { listenTo } from '../support/quic-pair.ts'
import { type Target, tcpServer } from '../support/servers.ts'
import { until } from '../support/until.ts'

interface Context {
  server: Target
  /** Ports that connections came from, and how many of them have ended. */
  came: number[]
  gone: { count: number }
}

const test = suite<Context>('the outbound from this machine')
const host = '127.0.0.1'

test.before.each(async context => {
  context.came = []
  context.gone = { count: 0 }
  context.server = await tcpServer(socket => {
    context.came.push(socket.remotePort!)
    socket.on('close', () => context.gone.count++).end('hello')
  })
})
test.after.each(({ server }) => server.close())

const refusal = (to: { host: string; port: number }, signal = new AbortController().signal) =>
  direct(to, { signal }).then(
    () => assert.unreachable('it was reached') as never,
    (error: unknown) => error as OutboundError,
  )

test('a target is reached, and this end of the connection is told', async ({ server, came }) => {
  const { bound, conn, session } = await direct(
    { host, port: server.port },
    { signal: new AbortController().signal },
  )
  const heard = listenTo(conn)
  await until(() => heard.ended, 'what the target says')
  assert.is(heard.text, 'hello')
  assert.equal([bound, session], [{ host, port: came[0] }, undefined])
  conn.end()
})

test('what is refused, and a name that does not resolve, are told apart', async () => {
  const refused = await refusal({ host, port: await freePort() })
  assert.equal([refused.code, refused.reply], ['E_TARGET_REFUSED', reply.refused])
  const unknown = await refusal({ host: 'nowhere.invalid', port: 80 })
  assert.equal([unknown.code, unknown.reply], ['E_TARGET_NOT_FOUND', reply.hostUnreachable])
})

test('a requester that leaves is not waited for, and a connection that comes up for it is ended', async ({
  server,
  came,
  gone,
}) => {
  const leaving = new AbortController()
  const error = refusal({ host, port: server.port }, leaving.signal)
  leaving.abort(new Error('gone'))
  assert.is((await error).message, 'gone')
  await until(() => gone.count === came.length && came.length === 1, 'its end')
})

test('a target that does not answer is given up after ten seconds', async () => {
  const { connect } = Bun
  const { setTimeout: real } = globalThis
  // As where a packet filter swallows all; and no need to wait for it.
  Bun.connect = (() => new Promise(() => {})) as typeof connect
  globalThis.setTimeout = ((action: () => void, ms: number) =>
    real(action, ms === 10_000 ? 0 : ms)) as typeof setTimeout
  try {
    const { code, reply: answer } = await refusal({ host, port: 9 })
    assert.equal([code, answer], ['E_TARGET_TIMEOUT', reply.ttlExpired])
  } finally {
    Bun.connect = connect
    globalThis.setTimeout = real
  }
})

test.run()
