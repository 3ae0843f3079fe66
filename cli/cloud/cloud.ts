import { mkdir, writeFile } from 'node:fs/promises'
import { isIPv4 } from 'node:net'
import { dirname, join, sep } from 'node:path'
import { unzipSync } from 'fflate'
import { type Mode, modes, nodeOptions, oldSpaceMb } from '../../function/modes.ts'
import { errorData } from '../../tunnel/net/coded-error.ts'
import { reachableAt } from '../input/loopback.ts'
import { whenAborted } from '../input/when-aborted.ts'
import { makeRunFolder } from '../places/run-folder.ts'
import bootstrap from './bootstrap.cjs' with { type: 'text' }
import { CloudError, maxProcesses } from './errors.ts'
import type { LogRecord } from './log.ts'
import { createRunner, type ProcessState, type Result, type Runner } from './runner.ts'
import { findRuntime } from './runtime.ts'
import { startS3 } from './s3.ts'
import { type Credentials, newCredentials } from './s3-auth.ts'
import { asDelivered, type S3Event, startsFunction } from './s3-event.ts'
import { startStun } from './stun.ts'

export interface CloudOptions {
  /** The function as it would be deployed. */
  functionZip: Uint8Array | Promise<Uint8Array>
  /** IPv4 address to listen on, 127.0.0.1 by default. */
  host?: string
  /** 0, the default, takes any that is free. */
  s3Port?: number
  /** 0, the default, takes any that is free. */
  stunPort?: number
  /** Each has a bucket and a function of its own; `local-1` by default. */
  regions?: readonly string[]
  /** Sets the memory figure and the deadline; `normal` by default. */
  mode?: Mode
  /** Deadline of an invocation in milliseconds, in place of the mode's. */
  timeoutMs?: number
  /** How long a function process waits for its next event: 5 minutes by default. */
  idleMs?: number
  /** Processes started ahead in each region, so that the first event need not wait for one: 1 by default. */
  prewarm?: number
  /** Path of the Node that runs the function; see findRuntime for the default. */
  node?: string
  /** Prefix of the command of function processes, to run them elsewhere on this machine (in a namespace, say). */
  command?: readonly string[]
  /** The function may reach private and loopback addresses. */
  allowPrivate?: boolean
  /** Lambda's level for the function's log, INFO by default. */
  logLevel?: string
  /** STUN servers that the function is told, `host:port`; the cloud's own by default. */
  stunServers?: readonly string[]
  /** Is given each delivery of S3's events and makes it when it likes; at once by default. */
  onEvent?: (deliver: () => void) => void
  onLog?: (record: LogRecord) => void
  /** Calls the start off. */
  signal?: AbortSignal
}

export interface Cloud {
  /** URL of the S3 endpoint. */
  readonly endpoint: string
  /** The STUN server as `host:port`. */
  readonly stunServers: readonly string[]
  /** Region → bucket. */
  readonly buckets: ReadonlyMap<string, string>
  /** Made for this cloud alone. */
  readonly credentials: Credentials
  processes(): ProcessState[]
  /** Gives an event to a region's function (the first by default), past the notification's filter. */
  deliver(event: unknown, region?: string): Promise<Result>
  /** Kills a function process; false when there is none with this id. */
  kill(pid: number): boolean
  /** Ends processes, servers and sockets and removes what was on disk. May be called more than once. */
  close(): Promise<void>
}

/**
 * The embedded cloud: S3, STUN and the function, started by S3's events. Throws a CloudError when a port
 * cannot be had or an option is wrong, or the signal's reason; nothing is left running then.
 */
export async function startCloud(options: CloudOptions): Promise<Cloud> {
  const { host = '127.0.0.1', s3Port = 0, stunPort = 0, regions = ['local-1'], onLog = () => {} } = options
  check(host, regions)
  const mode = options.mode ?? 'normal'
  const { signal } = options
  // The function may be built for it first, which takes seconds on a busy machine.
  const parts = Promise.all([findRuntime(options.node), options.functionZip])
  const [runtime, zip] = await Promise.race([parts, whenAborted(signal)])

  // What was made, in order: it goes in the reverse.
  const started = new AsyncDisposableStack()
  let closing: Promise<void> | undefined
  const close = () => {
    closing ??= started.disposeAsync()
    return closing
  }
  try {
    const files = filesOf(zip)
    const { path: directory, remove } = await makeRunFolder(async folder => {
      await unpack(files, join(folder, 'function'))
      await writeFile(join(folder, 'bootstrap.cjs'), bootstrap)
    })
    started.defer(remove)
    const taskRoot = join(directory, 'function')
    const script = join(directory, 'bootstrap.cjs')
    signal?.throwIfAborted()

    const buckets = new Map(regions.map(region => [region, bucketName(region)]))
    const runners = new Map<string, Runner>()
    const processes = () => [...runners.values()].flatMap(runner => runner.processes())
    const onEvent = (event: S3Event) => {
      const bucket = event.Records[0]?.s3.bucket.name
      const region = regions.find(region => buckets.get(region) === bucket)
      if (!region || !event.Records.some(startsFunction)) return
      const deliver = () =>
        void cloud.deliver(asDelivered(event, region), region).catch(error => {
          onLog({ timestamp: new Date().toISOString(), level: 'ERROR', ...errorData(error), region, pid: 0 })
        })
      if (options.onEvent) options.onEvent(deliver)
      else deliver()
    }
    const credentials = newCredentials()
    const s3 = await startS3({
      host,
      port: s3Port,
      directory: join(directory, 's3'),
      buckets: [...buckets.values()],
      credentials,
      onEvent,
    })
    started.defer(s3.close)
    const stun = await startStun(host, stunPort)
    started.defer(stun.close)
    signal?.throwIfAborted()

    const address = reachableAt(host)
    const endpoint = `http://${address}:${s3.port}`
    const stunServers = [`${address}:${stun.port}`]
    const environment = {
      ...inherited(),
      ...runtime.environment,
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_LAMBDA_LOG_LEVEL: options.logLevel ?? 'INFO',
      STUN_SERVERS: (options.stunServers ?? stunServers).join(','),
      MODE: mode,
      ALLOW_PRIVATE: String(options.allowPrivate ?? false),
      NODE_OPTIONS: nodeOptions(oldSpaceMb(modes[mode].memory)),
    }
    // At once: each waits for the end of its processes.
    started.defer(async () => {
      await Promise.all([...runners.values()].map(runner => runner.close()))
    })
    for (const region of regions) {
      const runner = createRunner({
        region,
        functionName: bucketName(region),
        memory: modes[mode].memory,
        timeoutMs: options.timeoutMs ?? modes[mode].timeoutMs,
        idleMs: options.idleMs ?? 5 * 60_000,
        command: [...(options.command ?? []), runtime.program, script],
        taskRoot,
        environment,
        hasRoom: () => processes().length < maxProcesses,
        onLog,
      })
      runners.set(region, runner)
      for (let i = 0; i < (options.prewarm ?? 1); i++) runner.prewarm()
    }

    const cloud: Cloud = {
      endpoint,
      stunServers,
      buckets,
      credentials,
      processes,
      async deliver(event, region = regions[0]!) {
        const runner = runners.get(region)
        if (!runner) throw new CloudError(`there is no region ${region} here, only ${regions.join(', ')}`)
        return runner.invoke(event)
      },
      kill: pid => [...runners.values()].some(runner => runner.kill(pid)),
      close,
    }
    return cloud
  } catch (error) {
    await close()
    throw error
  }
}

// --- internal ---

const bucketName = (region: string) => `lambda-nat-proxy-${region}`

function check(host: string, regions: readonly string[]): void {
  if (!isIPv4(host))
    throw new CloudError(
      `${host} is not an IPv4 address; give --host one of this machine's, such as 127.0.0.1`,
    )
  for (const region of regions)
    if (!/^[a-z]+(-[a-z0-9]+)+$/.test(region) || region.length > 40)
      throw new CloudError(
        `"${region}" cannot be a region's name; give --regions names such as local-1,local-2`,
      )
  if (regions.length === 0 || new Set(regions).size < regions.length)
    throw new CloudError('give --regions one or more names, each of them once')
}

type Files = Record<string, Uint8Array>

/** What is in the function's zip. */
function filesOf(zip: Uint8Array): Files {
  let files: Files
  try {
    files = unzipSync(zip)
  } catch (error) {
    throw new CloudError(`the function's zip cannot be read: ${(error as Error).message}`, { cause: error })
  }
  for (const name of Object.keys(files))
    if (!join(sep, 'in', name).startsWith(join(sep, 'in', sep)))
      throw new CloudError(`the function's zip names a file outside it: ${name}`)
  return files
}

async function unpack(files: Files, directory: string): Promise<void> {
  for (const [name, bytes] of Object.entries(files)) {
    const path = join(directory, name)
    if (name.endsWith('/')) continue
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, bytes)
  }
}

/** The variables of the user's environment that a process cannot start without. */
const inherited = (): Record<string, string> =>
  Object.fromEntries(
    ['PATH', 'SystemRoot'].flatMap(name => (process.env[name] ? [[name, process.env[name]]] : [])),
  )
