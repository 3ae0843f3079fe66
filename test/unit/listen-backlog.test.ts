import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { growBacklog } from '../../tunnel/net/listen-backlog.ts'
import { patient } from '../support/patience.ts'

const test = suite('the queue of a listener')

/** More than Bun asks for, where the system grants as much. */
const wanted = 900
const granted = () =>
  process.platform === 'linux' ? Number(readFileSync('/proc/sys/net/core/somaxconn', 'utf8')) : 100

/** Opens connections, says how many are there, and does not wait for ever for them: whoever finds no room finds none later. */
const knock = `
  const [port, count] = process.argv.slice(1).map(Number)
  let connected = 0
  const end = () => { console.log(connected); process.exit(0) }
  setTimeout(end, ${patient(5_000)})
  for (let i = 0; i < count; i++)
    require('node:net').connect(port, '127.0.0.1', () => { if (++connected === count) end() }).on('error', () => {})
`

test('has room for a thousand that come while nobody accepts any', () => {
  const server = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
  growBacklog(server)
  const count = Math.min(wanted, granted())
  // Until it has ended this process does nothing else.
  const { stdout } = Bun.spawnSync([process.execPath, '-e', knock, String(server.port), String(count)])
  server.stop(true)
  assert.is(Number(stdout.toString()), count)
})

test.run()
