import { readFile } from 'node:fs/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type EndContext, tellEndStories, tellKeptStory, ways } from '../support/end-stories.ts'
import { type LocalProxy, startProxy } from '../support/local-proxy.ts'
import { openSockets } from '../support/open-sockets.ts'
import { listenRaw } from '../support/raw-end.ts'
import { until } from '../support/until.ts'

const onLinux = process.platform === 'linux'

interface Context extends EndContext {
  proxy: LocalProxy
  /** The process that the exit is in, and the sockets that it had before it was used. */
  exit: number
  socketsBefore: number
}

const test = suite<Context>('how connections end')

test.before(async context => {
  context.proxy = await startProxy({ args: ['--local', '--allow-private', '--rules', 'direct localhost'] })
  context.port = context.proxy.port
  const { session } = await context.proxy.event('exit.ready')
  context.exit = await context.proxy.processOf(session)
  context.socketsBefore = onLinux ? openSockets(context.exit) : 0
})
test.after(({ proxy }) => proxy.close())

tellEndStories(test)
tellKeptStory(test)

if (onLinux)
  test('a peer that is gone without a word is noticed: connections at rest are probed', async ({ port }) => {
    for (const [name, open] of Object.entries(ways)) {
      const origin = listenRaw()
      const client = await open(port, origin.port)
      // The client's at the proxy, and the target's at the exit or the proxy.
      await until(async () => (await probed(port)) > 0 && (await probed(origin.port)) > 0, `probes, ${name}`)
      client.end()
      origin.close()
    }
  })

test('nothing is left open of all that', async ({ proxy, exit, socketsBefore }) => {
  const opened = proxy.told('connection.opened').length
  assert.ok(opened > 20)
  await until(() => proxy.told('connection.closed').length === opened, 'every connection to be over')
  if (onLinux) await until(() => openSockets(exit) <= socketsBefore, 'the exit to have closed its sockets')
})

test.run()

// --- internal ---

/** Connections with this port of loopback at either end whose system waits to probe them (proc(5): `tr` is 2). */
async function probed(port: number): Promise<number> {
  const hex = `:${port.toString(16).toUpperCase().padStart(4, '0')} `
  const lines = (await Promise.all(['tcp', 'tcp6'].map(table => readFile(`/proc/net/${table}`, 'utf8'))))
    .join('\n')
    .split('\n')
  return lines.filter(line => line.includes(hex) && / 01 \w+:\w+ 02:/.test(line)).length
}
