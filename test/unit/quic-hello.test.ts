import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { closeCodes } from '../../tunnel/quic/close-codes.ts'
import { controlStream } from '../../tunnel/session/control-stream.ts'
import type { ControlMessage } from '../../tunnel/session/frames/control.ts'
import { awaitHello, SessionError, sayHello } from '../../tunnel/session/hello.ts'
import { type QuicPair, quicPair } from '../support/quic-pair.ts'
import { until } from '../support/until.ts'

const about = {
  region: 'local-1',
  address: '127.0.0.1',
  remaining_ms: 600_000,
  memory_mb: 128,
  request_id: 'r',
}
const test = suite<{ pair: QuicPair }>('hello')

test.before.each(async context => {
  context.pair = await quicPair()
})
test.after.each(({ pair }) => pair.close())

test('each end learns what runs QUIC at the other', async ({ pair: { client, exit } }) => {
  const waiting = awaitHello(client.connection)
  const heard: ControlMessage[] = []
  sayHello(exit.connection, about).onMessage = message => heard.push(message)
  const { hello } = await waiting
  const { name, version } = exit.connection.engine
  assert.equal(hello, { type: 'hello', version: 1, engine: { name, version }, ...about })
  await until(() => heard.length > 0, 'the welcome')
  assert.equal(heard, [{ type: 'welcome', engine: { name, version } }])
})

test('an exit that names no engine is told nothing that it does not know', async ({
  pair: { client, exit },
}) => {
  const waiting = awaitHello(client.connection)
  const heard: ControlMessage[] = []
  const control = controlStream(exit.connection, exit.connection.open())
  control.onMessage = message => heard.push(message)
  control.send({ type: 'hello', version: 1, ...about })
  const greeted = await waiting
  greeted.control.send({ type: 'ping', id: 1 })
  await until(() => heard.length > 0, 'the ping')
  assert.equal(heard, [{ type: 'ping', id: 1 }])
})

test('an exit of another version is closed with the code for that', async ({ pair: { client, exit } }) => {
  const waiting = awaitHello(client.connection).catch((error: unknown) => error)
  controlStream(exit.connection, exit.connection.open()).send({ type: 'hello', version: 2, ...about })
  const error = await waiting
  assert.instance(error, SessionError)
  assert.is((error as SessionError).code, 'E_SESSION_VERSION')
  const { code, closeCode } = await exit.connection.closed
  assert.equal([code, closeCode], ['E_QUIC_CLOSED_BY_PEER', closeCodes.noHello])
})

test('a connection that ends before the hello says why', async ({ pair: { client, exit } }) => {
  const waiting = awaitHello(client.connection).catch((error: unknown) => error)
  exit.connection.close(closeCodes.deadline, 'gone \u001b[2J\nforged line')
  const error = await waiting
  assert.instance(error, SessionError)
  assert.is((error as SessionError).message, 'gone \ufffd[2J\ufffdforged line')
})

test.run()
