import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type LocalCloud, startLocalCloud } from '../support/local-cloud.ts'
import { type Origin, startOrigin } from '../support/origin.ts'
import { socksConnect } from '../support/socks-client.ts'
import { until } from '../support/until.ts'

// The function that is to replace an exit does not start, as where Lambda throttles it.

interface Context {
  local: LocalCloud
  origin: Origin
  isThrottled: boolean
}

const test = suite<Context>('An exit whose replacement does not start')

test.before.each(async context => {
  context.isThrottled = false
  context.origin = await startOrigin()
  context.local = await startLocalCloud({
    timeoutMs: 30_000,
    onEvent: deliver => context.isThrottled || deliver(),
  })
})
test.after.each(async ({ local, origin }) => {
  await local.close()
  await origin.close()
})

test('takes new connections in its last seconds, idle as it was', async context => {
  const { local, origin } = context
  const proxy = await local.proxy({ args: ['--trigger', 's3'] })
  context.isThrottled = true
  const { session, heardAt } = await proxy.event('exit.draining')
  // With another exit there it would be closed after one.
  await until(() => performance.now() > heardAt + 2_000, 'two seconds without a connection')
  const socket = await socksConnect({ proxy: proxy.port, host: '127.0.0.1', port: origin.port })
  socket.destroy()
  assert.is((await proxy.event('connection.opened')).session, session)
  // The next one that starts takes over.
  context.isThrottled = false
  const { session: next } = await proxy.event('exit.ready', event => event.session !== session)
  const again = await socksConnect({ proxy: proxy.port, host: '127.0.0.1', port: origin.port })
  again.destroy()
  await until(() => proxy.told('connection.opened').at(-1)?.session === next, 'a connection through it')
})

test.run()
