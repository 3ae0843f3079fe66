import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import * as assert from 'uvu/assert'
import { patient } from '../support/patience.ts'

const limitMs = patient(120_000)
/** Of an address that `--allow-private` lets the exit reach. */
const content = 'a page\n'

export interface FirstPage {
  /** Milliseconds from the command to the page. */
  ms: number
}

/**
 * Starts `COMMAND run --local`, fetches a page through it as a person would, and ends it with a Ctrl-C. Throws unless
 * it all went well.
 */
export async function firstPage(
  command: readonly string[],
  env: Record<string, string>,
  cwd: string,
  /** Exit code, or the signal that ends it. */
  ends: readonly unknown[] = [0, null],
): Promise<FirstPage> {
  const web = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response(content) })
  const [program, ...args] = command
  const options = ['run', '--local', '--allow-private', '--port', '0', '--no-dashboard', '--json']
  const began = performance.now()
  const proxy = spawn(program!, [...args, ...options], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, as a shell makes for each command.
    detached: true,
  })
  const kill = (signal: NodeJS.Signals) => {
    if (proxy.exitCode === null && proxy.signalCode === null) process.kill(-proxy.pid!, signal)
  }
  const timer = setTimeout(() => kill('SIGKILL'), limitMs)
  let said = ''
  proxy.stderr.on('data', chunk => {
    said += chunk
  })
  try {
    const closed = once(proxy, 'close')
    let port = 0
    for await (const line of createInterface({ input: proxy.stdout })) {
      said += `${line}\n`
      const event = JSON.parse(line)
      if (event.type !== 'proxy.ready') continue
      port = event.port
      break
    }
    assert.ok(port > 0, `${command.join(' ')} ended before it was ready: ${said}`)
    const curl = spawn('curl', ['-sS', '--max-time', '30', '-x', `socks5h://127.0.0.1:${port}`, web.url.href])
    let page = ''
    for await (const chunk of curl.stdout) page += chunk
    assert.is(page, content)
    const ms = performance.now() - began
    proxy.stdout.on('data', chunk => {
      said += chunk
    })
    proxy.stdout.resume()
    // To the whole group, as a terminal sends it.
    kill('SIGINT')
    assert.equal(await closed, ends, said)
    // It was not cut off: the exit was told.
    assert.match(said, '"type":"exit.closed"')
    return { ms }
  } finally {
    clearTimeout(timer)
    kill('SIGKILL')
    await web.stop(true)
  }
}
