import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { ProxyEvent } from '../../cli/client/stats/events.ts'
import { leftBehind } from './left-behind.ts'
import { patient } from './patience.ts'

// `lambda-nat-proxy run --json` as a process of its own, and what it tells.

type Type = ProxyEvent['type']
export type Told<T extends Type> = Extract<ProxyEvent, { type: T }> & {
  /** When the proxy said it, RFC 3339. */
  time: string
  /** When this process heard of it, by performance.now(). */
  heardAt: number
}

export interface LocalProxy {
  pid: number
  /** Port of its SOCKS5 listener. */
  port: number
  /** All that it has told so far, of this type. */
  told<T extends Type>(type: T): Told<T>[]
  /** The first event of this type that fits, told already or to come. */
  event<T extends Type>(type: T, fits?: (event: Told<T>) => boolean, limitMs?: number): Promise<Told<T>>
  /** The process that a session's function runs in, of the embedded cloud, as its log tells. */
  processOf(session: string): Promise<number>
  /** All that it has printed so far, its errors among it. */
  said(): string
  /** Ends it and gives its exit code. Later calls wait for the same end. */
  stop(signal?: NodeJS.Signals): Promise<number | string>
  /** A folder for its temporary files, removed with it. */
  folder: string
  /** What it has left there, or works on: paths, the embedded cloud's folder among them. */
  leftovers(): string[]
  close(): Promise<void>
}

export interface LocalProxyOptions {
  args?: readonly string[]
  env?: Record<string, string | undefined>
  /** What stands before the command. */
  command?: readonly string[]
}

const main = join(import.meta.dir, '../../cli/main.ts')
const node = join(import.meta.dir, '../../node_modules/node/bin')
const startLimitMs = patient(40_000)
const eventLimitMs = patient(30_000)
const stopLimitMs = patient(5_000)

/** Starts the proxy on a free port and waits until it is ready. */
export async function startProxy(options: LocalProxyOptions = {}): Promise<LocalProxy> {
  const proxy = await launchProxy(options)
  try {
    const { port } = await proxy.event('proxy.ready', undefined, startLimitMs)
    return Object.assign(proxy, { port })
  } catch (error) {
    await proxy.close()
    throw error
  }
}

/** The same, but does not wait: `port` is 0. */
export async function launchProxy(options: LocalProxyOptions = {}): Promise<LocalProxy> {
  const folder = await mkdtemp(join(tmpdir(), 'lambda-nat-proxy-test-'))
  const { args = ['--local', '--allow-private'], env = {}, command = [] } = options
  const port = args.includes('--port') ? [] : ['--port', '0']
  const [program, ...given] = [...command, process.execPath, main, 'run', '--json', ...port, ...args]
  const child = spawn(program!, given, {
    env: {
      ...process.env,
      // The function runs on Node 24, and nothing of this machine's AWS is used.
      PATH: `${node}:${process.env.PATH}`,
      TMPDIR: folder,
      HOME: folder,
      XDG_CONFIG_HOME: undefined,
      XDG_STATE_HOME: undefined,
      XDG_CACHE_HOME: join(folder, '.cache'),
      AWS_PROFILE: undefined,
      AWS_SESSION_TOKEN: undefined,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const events: Told<Type>[] = []
  const said: string[] = []
  const changed = new Set<() => void>()
  const lookAgain = () => {
    for (const look of [...changed]) look()
  }
  let ended = false
  createInterface({ input: child.stdout }).on('line', line => {
    said.push(line)
    events.push({ ...JSON.parse(line), heardAt: performance.now() })
    lookAgain()
  })
  createInterface({ input: child.stderr }).on('line', line => said.push(line))
  const exit = once(child, 'close').then(([code, signal]: (number | string | null)[]) => {
    ended = true
    lookAgain()
    return code ?? signal ?? -1
  })
  const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
    child.kill(signal)
    const timer = setTimeout(() => child.kill('SIGKILL'), stopLimitMs)
    const code = await exit
    clearTimeout(timer)
    return code
  }
  const told = <T extends Type>(type: T) => events.filter(event => event.type === type) as Told<T>[]

  const proxy: LocalProxy = {
    pid: child.pid ?? -1,
    port: 0,
    folder,
    told,
    async processOf(session) {
      const { fields } = await proxy.event('function.log', event => event.session === session)
      return Number((fields as { pid: unknown }).pid)
    },
    event: (type, fits = () => true, limitMs = eventLimitMs) =>
      new Promise((resolve, reject) => {
        const settle = (finish: () => void) => {
          clearTimeout(timer)
          changed.delete(look)
          finish()
        }
        const fail = (why: string) =>
          settle(() => reject(new Error(`${why} "${type}":\n${said.slice(-40).join('\n')}`)))
        const timer = setTimeout(() => fail(`within ${limitMs} ms there was no`), limitMs)
        const look = () => {
          const found = told(type).find(fits)
          if (found) settle(() => resolve(found))
          else if (ended) fail('the proxy ended without')
        }
        changed.add(look)
        look()
      }),
    said: () => said.join('\n'),
    stop,
    leftovers: () => leftBehind(folder, folder),
    async close() {
      await stop()
      await rm(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
  return proxy
}
