import * as assert from 'uvu/assert'
import { cloudSuite } from '../support/origin-suite.ts'
import { socksConnect } from '../support/socks-client.ts'
import { until } from '../support/until.ts'

const test = cloudSuite('An exit that is lost while requests are being opened')

for (const [what, args] of [
  ['there is one exit', []],
  ['there are two exits', ['--sessions', '2']],
  ['there is a standby', ['--standby', '1']],
] as const)
  test(`none fails, each is only delayed, where ${what}`, async ({ local, origin }) => {
    const proxy = await local.proxy({ args: ['--exit', 'round-robin', ...args] })
    const connectMs: number[] = []
    const failures: string[] = []
    const open = new Set<Promise<void>>()
    const request = async () => {
      try {
        // It is the opening that counts. What is open when its exit dies is cut, which is told elsewhere.
        const started = performance.now()
        const socket = await socksConnect({ proxy: proxy.port, host: '127.0.0.1', port: origin.port })
        connectMs.push(performance.now() - started)
        socket.destroy()
      } catch (error) {
        failures.push((error as Error).message)
      }
    }
    const ticker = setInterval(() => {
      const work = request().finally(() => open.delete(work))
      open.add(work)
    }, 20)
    const { session } = await proxy.event('connection.opened')
    local.kill(session!)
    await proxy.event('exit.silent', event => event.session === session)
    // With one exit, what waits is served by the next.
    const exits = proxy.told('exit.ready').length + (args.length === 0 ? 1 : 0)
    await until(() => proxy.told('exit.ready').length >= exits, 'the exit that serves them')
    const before = connectMs.length
    await until(() => connectMs.length + failures.length >= before + 50, 'requests after it')
    clearInterval(ticker)
    await Promise.all(open)
    const slowest = Math.max(...connectMs)
    console.log(
      `figure: exit lost, ${what}: ${connectMs.length} opened, ${failures.length} failed, slowest after ${(slowest / 1_000).toFixed(1)} s`,
    )
    assert.equal(failures, [])
  })

test.run()
