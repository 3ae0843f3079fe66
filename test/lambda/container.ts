import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { freePort } from '../support/free-port.ts'
import { until } from '../support/until.ts'
import type { LambdaRuntime, NodeMajor } from './runtime.ts'

// A function's container as Lambda's: a read-only root, 512 MB at /tmp, user 993, 1,024 descriptors. Its network is
// this machine's.

export interface ContainerOptions {
  runtime: LambdaRuntime
  node: NodeMajor
  /** Where function.zip was unpacked. */
  task: string
  memoryMb: number
  timeoutS: number
  region: string
  environment: Record<string, string>
}

/** What an invocation came to, as the emulator tells it. */
export interface Invoked {
  /** 0 when the container ended. */
  status: number
  text: string
}

export interface LogLine {
  level?: string
  message?: unknown
  session?: string
  [field: string]: unknown
}

export interface Container {
  /** Lambda's invocation; its container handles one at a time. */
  invoke(event: unknown): Promise<Invoked>
  /** The function's log so far. */
  log: LogLine[]
  /** The next record with this message, told already or to come, of this session where one is named. */
  logged(message: string, session?: string): Promise<LogLine>
  /** Everything that was said, for a test that fails. */
  said(): string
  /** Stops every instruction of the function, as Lambda does between invocations; `thaw` lets it go on. */
  freeze(): void
  thaw(): void
  /** The function's process, of this machine's ids; undefined before there is one. */
  pid(): number | undefined
  /** Its memory, resident now and at most so far, in MB of 1,048,576 bytes. */
  memory(): { nowMb: number; peakMb: number }
  close(): Promise<void>
}

const bootstrap = join(import.meta.dir, 'bootstrap.sh')
const lambdaUser = 993
const lambdaDescriptors = 1_024
const temporaryBytes = 512 * 1024 ** 2

export async function startContainer(options: ContainerOptions): Promise<Container> {
  const port = await freePort()
  const ports = { invoke: port, runtime: await freePort() }
  const child = spawn(
    'prlimit',
    [`--nofile=${lambdaDescriptors}`, '--', 'bwrap', ...sandbox(options, ports)],
    {
      env: { PATH: process.env.PATH! },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  const said: string[] = []
  const log: LogLine[] = []
  for (const output of [child.stdout, child.stderr])
    createInterface({ input: output }).on('line', line => {
      said.push(line)
      const record = asRecord(line)
      if (record) log.push(record)
    })
  const ended = once(child, 'exit')
  const pid = () => functionOf(child)
  const signal = (name: NodeJS.Signals) => {
    const id = pid()
    if (id === undefined) throw new Error('the function does not run')
    process.kill(id, name)
  }
  const url = `http://127.0.0.1:${port}/2015-03-31/functions/function/invocations`
  const container: Container = {
    async invoke(event) {
      try {
        // A session takes its time: no limit of the runtime's own.
        const response = await fetch(url, { method: 'POST', body: JSON.stringify(event), timeout: false })
        return { status: response.status, text: await response.text() }
      } catch (error) {
        return { status: 0, text: String(error) }
      }
    },
    log,
    async logged(message, session) {
      const find = () =>
        log.find(
          record => record.message === message && (session === undefined || record.session === session),
        )
      await until(() => find() !== undefined, `"${message}" in the function's log`).catch(error => {
        throw new Error(`${error.message}\n${said.slice(-20).join('\n')}`)
      })
      return find()!
    },
    said: () => said.join('\n'),
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    pid,
    memory() {
      const status = readFileSync(`/proc/${pid()}/status`, 'utf8')
      const megabytes = (field: string) =>
        Math.round(Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)?.[1]) / 1024)
      return { nowMb: megabytes('VmRSS'), peakMb: megabytes('VmHWM') }
    },
    async close() {
      // Whatever stands still cannot end, either.
      if (pid() !== undefined) signal('SIGCONT')
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await ended
    },
  }
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`the container ended: ${container.said()}`)
    return listens(port)
  }, "Lambda's emulator to listen")
  return container
}

// --- internal ---

function sandbox(options: ContainerOptions, ports: { invoke: number; runtime: number }): string[] {
  const { runtime, node, task, memoryMb, timeoutS, region, environment } = options
  const lambda = {
    AWS_EXECUTION_ENV: `AWS_Lambda_nodejs${node}.x`,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_LAMBDA_FUNCTION_NAME: 'lambda-nat-proxy',
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMb),
    AWS_LAMBDA_FUNCTION_TIMEOUT: String(timeoutS),
    AWS_LAMBDA_LOG_FORMAT: 'JSON',
    AWS_LAMBDA_LOG_LEVEL: 'DEBUG',
    LAMBDA_TASK_ROOT: '/var/task',
    LAMBDA_RUNTIME_DIR: '/var/runtime',
    _HANDLER: 'index.handler',
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    PATH: '/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin',
    HOME: '/tmp',
    ...environment,
  }
  const readable = ['/usr', '/etc/resolv.conf', '/etc/ssl', '/etc/hosts', '/etc/nsswitch.conf'].filter(
    existsSync,
  )
  return [
    ...['--unshare-all', '--share-net', '--die-with-parent', '--clearenv'],
    ...['--uid', String(lambdaUser), '--gid', String(lambdaUser), '--cap-drop', 'ALL'],
    ...readable.flatMap(path => ['--ro-bind', path, path]),
    ...['bin', 'lib', 'lib64'].flatMap(name => ['--symlink', `usr/${name}`, `/${name}`]),
    ...[
      '--ro-bind',
      task,
      '/var/task',
      '--ro-bind',
      join(runtime.client, 'node_modules'),
      '/var/runtime/node_modules',
    ],
    ...[
      '--ro-bind',
      dirname(runtime.nodes[node]),
      '/var/lang/bin',
      '--ro-bind',
      bootstrap,
      '/var/runtime/bootstrap',
    ],
    ...['--ro-bind', runtime.emulator, '/var/rie', '--size', String(temporaryBytes), '--tmpfs', '/tmp'],
    ...['--proc', '/proc', '--dev', '/dev', '--remount-ro', '/', '--chdir', '/var/task'],
    ...Object.entries(lambda).flatMap(([name, value]) => ['--setenv', name, value]),
    // It runs /var/runtime/bootstrap.
    ...[
      '/var/rie',
      '--log-level',
      'warn',
      '--runtime-interface-emulator-address',
      `127.0.0.1:${ports.invoke}`,
    ],
    ...['--runtime-api-address', `127.0.0.1:${ports.runtime}`],
  ]
}

function asRecord(line: string): LogLine | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    return JSON.parse(line) as LogLine
  } catch {
    return undefined
  }
}

/** The descendant that is Node. */
function functionOf({ pid }: ChildProcess): number | undefined {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const parent = statOf(name)?.parent
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  const waiting = [pid ?? -1]
  for (let each = waiting.pop(); each !== undefined; each = waiting.pop()) {
    if (/^(node|MainThread)/.test(statOf(String(each))?.command ?? '')) return each
    waiting.push(...(children.get(each) ?? []))
  }
  return undefined
}

/** Name and parent of a process: `id (name) state parent …`. */
function statOf(id: string): { command: string; parent: number } | undefined {
  try {
    const [, command = '', parent] =
      /^\d+ \((.*)\) \S (\d+)/s.exec(readFileSync(`/proc/${id}/stat`, 'utf8')) ?? []
    return { command, parent: Number(parent) }
  } catch {
    return undefined
  }
}

const listens = (port: number) =>
  Bun.connect({ hostname: '127.0.0.1', port, socket: { data() {} } }).then(
    socket => {
      socket.end()
      return true
    },
    () => false,
  )
