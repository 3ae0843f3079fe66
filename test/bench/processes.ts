import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export const root = join(import.meta.dir, '../..')

/** What a run builds, and a later one may use again. */
export const cache = join(root, 'node_modules/.cache/lambda-nat-proxy/bench')

/** Node 24, the runtime that the function has on Lambda. */
export const node = join(root, 'node_modules/node/bin/node')

/** A process of the bench's own. */
export interface Started {
  readonly pid: number
  /** Waits for a line of its output that `read` makes something of, also among those already said. Rejects when it ends or at the limit. */
  hear<T>(what: string, read: (line: string) => T | undefined, limitMs?: number): Promise<T>
  /** Sends it a line on standard input. */
  tell(message: object): void
  stop(): Promise<void>
}

export interface StartOptions {
  env?: Record<string, string>
  /** What a program of the bench is to do; it reads it from its environment. */
  spec?: object
}

const running = new Set<Started>()
const startLimitMs = 30_000
const stopLimitMs = 4_000
const lastLines = 5

/** Ends everything that is still running. */
export const stopAll = () => Promise.all([...running].map(process => process.stop()))

/** Starts a program. Output that nobody waits for is kept until it is asked for. */
export function start(command: readonly string[], { env = {}, spec }: StartOptions = {}): Started {
  const child = spawn(command[0]!, command.slice(1), {
    cwd: root,
    env: { ...process.env, ...env, ...(spec && { BENCH_SPEC: JSON.stringify(spec) }) },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  /** Lines that nobody has looked at, and the last ones for an error's sake. */
  const said: string[] = []
  const last: string[] = []
  const waiting = new Set<() => void>()
  let over: string | undefined
  const look = () => {
    for (const check of waiting) check()
  }
  const end = (how: string) => {
    over ??= how
    running.delete(started)
    look()
  }
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', line => {
      said.push(line)
      last.push(line)
      if (last.length > lastLines) last.shift()
      look()
    })
  const gone = new Promise<void>(resolve => child.once('close', () => resolve()))
  child.once('close', (code, signal) => end(`ended with ${code ?? signal}`))
  child.once('error', error => end(`cannot be run: ${error.message}`))
  child.stdin.on('error', () => {})

  const started: Started = {
    pid: child.pid ?? 0,
    hear: (what, read, limitMs = startLimitMs) =>
      new Promise((resolve, reject) => {
        const settle = (finish: () => void) => {
          waiting.delete(check)
          clearTimeout(timer)
          finish()
        }
        const fail = (why: string) =>
          settle(() => reject(new Error(`${command[0]} ${why} before ${what}; it said: ${last.join(' | ')}`)))
        const check = () => {
          while (said.length > 0) {
            const found = read(said.shift()!)
            if (found !== undefined) return settle(() => resolve(found))
          }
          if (over) fail(over)
        }
        const timer = setTimeout(() => fail(`took ${limitMs / 1000} s`), limitMs)
        waiting.add(check)
        check()
      }),
    tell: message => void child.stdin.write(`${JSON.stringify(message)}\n`),
    async stop() {
      if (over) return
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), stopLimitMs)
      await gone
      clearTimeout(timer)
    },
  }
  running.add(started)
  return started
}

/** Reads a line that is a JSON object with this key: how the bench's programs, and `run --json`, speak. */
export const withKey =
  <T>(key: string) =>
  (line: string): T | undefined => {
    if (!line.startsWith('{')) return undefined
    const object = JSON.parse(line) as Record<string, unknown>
    return key in object ? (object as T) : undefined
  }

/** A TCP port of the loopback address that was free just now, for programs that cannot choose one and tell. */
export const freePort = () =>
  new Promise<number>((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
