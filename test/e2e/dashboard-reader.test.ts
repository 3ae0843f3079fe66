import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { patient } from '../support/patience.ts'

const test = suite('a proxy whose output is no longer read')

const main = join(import.meta.dir, '../../cli/main.ts')
const limitMs = patient(60_000)

test('a proxy whose reader has closed the pipe goes on, and ends as it should', async () => {
  const args = ['run', '--local', '--port', '0', '--dashboard-port', '0', '--json']
  const proxy = spawn(process.execPath, [main, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: limitMs,
    killSignal: 'SIGKILL',
  })
  let complaints = ''
  proxy.stderr.on('data', chunk => {
    complaints += chunk
  })
  try {
    const ended = once(proxy, 'close')
    const [line] = await once(createInterface({ input: proxy.stdout }), 'line')
    const { type, url } = JSON.parse(line)
    assert.is(type, 'dashboard.ready')
    proxy.stdout.destroy()

    // With every sample it has something to say, and with the exit that comes up.
    for await (const part of (await fetch(`${url}api/stream`)).body!.pipeThrough(new TextDecoderStream()))
      if (part.includes('"phase":"active"')) break
    assert.is((await fetch(`${url}healthz`)).status, 200)
    proxy.kill('SIGINT')
    assert.equal(await ended, [0, null])
    assert.is(complaints, '')
  } finally {
    proxy.kill('SIGKILL')
  }
})

test.run()
