import { randomUUID } from 'node:crypto'
import { CodedError } from '../../tunnel/net/coded-error.ts'
import { CapacityError } from './errors.ts'
import { type LogRecord, parseLine } from './log.ts'
import { type FunctionProcess, type Outcome, startProcess } from './process.ts'
import { account } from './s3-auth.ts'
import { sessionOf } from './s3-event.ts'

export interface RunnerOptions {
  region: string
  functionName: string
  /** Megabytes, as the function is told; not enforced. */
  memory: number
  /** How long an invocation may take. */
  timeoutMs: number
  /** How long a process waits for its next event. */
  idleMs: number
  /** Program and arguments of a process. */
  command: readonly string[]
  /** Folder of the unpacked function. */
  taskRoot: string
  environment: Record<string, string>
  /** Whether one more process may be started. */
  hasRoom(): boolean
  onLog: (record: LogRecord) => void
}

/** A function process as seen from outside. */
export interface ProcessState {
  pid: number
  region: string
  state: 'starting' | 'idle' | 'busy'
  /** Events handled, the present one included. */
  invocations: number
  /** Of the present or last invocation. */
  requestId?: string
  session?: string
}

/** The outcome of an event. */
export type Result = Outcome & { requestId: string; pid: number }

export interface Runner {
  /** Handles an event in an idle process, or in a new one. Rejects with a CapacityError when no more may be started. */
  invoke(event: unknown): Promise<Result>
  /** Starts a process ahead of its event, while there is room. */
  prewarm(): void
  processes(): ProcessState[]
  /** Kills a process of this runner; false when it has none with this id. */
  kill(pid: number): boolean
  /** Kills all processes and waits for their end. */
  close(): Promise<void>
}

/** One region's function, run as Lambda does: one event at a time in a process, idle processes used again. */
export function createRunner(options: RunnerOptions): Runner {
  const { region, functionName, onLog } = options
  const functionArn = `arn:aws:lambda:${region}:${account}:function:${functionName}`
  const environment = {
    ...options.environment,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_LAMBDA_FUNCTION_NAME: functionName,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(options.memory),
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${functionName}`,
    LAMBDA_TASK_ROOT: options.taskRoot,
    _HANDLER: 'index.handler',
  }
  const workers = new Set<Worker>()
  let closed = false

  function start(): Worker {
    if (closed) throw new CodedError('E_CLOUD_CLOSED', 'the embedded cloud is closed')
    if (!options.hasRoom()) throw new CapacityError()
    const process = startProcess({
      command: options.command,
      cwd: options.taskRoot,
      environment: { ...environment, AWS_LAMBDA_LOG_STREAM_NAME: randomUUID() },
      onLine: (line, level) => onLog(parseLine(line, level, origin(worker))),
    })
    const worker: Worker = { process, state: 'starting', invocations: 0 }
    workers.add(worker)
    void process.loaded.then(() => worker.state === 'starting' && rest(worker))
    void process.ended.then(() => {
      clearTimeout(worker.idle)
      workers.delete(worker)
    })
    return worker
  }

  function rest(worker: Worker): void {
    if (!worker.process.alive) return
    worker.state = 'idle'
    worker.idle = setTimeout(worker.process.kill, options.idleMs)
  }

  const free = (): Worker | undefined => {
    const ready = [...workers].filter(({ process, state }) => process.alive && state !== 'busy')
    return ready.find(({ state }) => state === 'idle') ?? ready[0]
  }

  const origin = ({ process: { pid }, requestId }: Worker) => ({
    region,
    pid,
    ...(requestId && { requestId }),
  })

  return {
    async invoke(event) {
      const worker = free() ?? start()
      const { process } = worker
      const requestId = randomUUID()
      clearTimeout(worker.idle)
      worker.state = 'busy'
      worker.invocations += 1
      worker.requestId = requestId
      worker.session = sessionOf(event)

      let outcome = await process.loaded
      const began = Date.now()
      if (outcome.status === 'success')
        outcome = await process.invoke({ event, requestId, functionArn, deadline: began + options.timeoutMs })
      // What could not load cannot handle the next event either.
      else process.kill()
      for (const record of report(outcome, Date.now() - began)) onLog({ ...record, ...origin(worker) })
      rest(worker)
      return { ...outcome, requestId, pid: process.pid }
    },
    prewarm() {
      if (options.hasRoom()) start()
    },
    processes: () =>
      [...workers].map(({ process: { pid }, state, invocations, requestId, session }) => ({
        pid,
        region,
        state,
        invocations,
        requestId,
        session,
      })),
    kill(pid) {
      const worker = [...workers].find(({ process }) => process.pid === pid)
      worker?.process.kill()
      return worker !== undefined
    },
    async close() {
      closed = true
      const ended = [...workers].map(({ process }) => {
        process.kill()
        return process.ended
      })
      await Promise.all(ended)
    },
  }
}

// --- internal ---

interface Worker {
  process: FunctionProcess
  state: ProcessState['state']
  invocations: number
  requestId?: string
  session?: string
  /** Ends a process that no event comes for. */
  idle?: NodeJS.Timeout
}

/** What Lambda itself writes to the log when an invocation has ended: its error, then its figures. */
function* report(outcome: Outcome, durationMs: number) {
  const timestamp = new Date().toISOString()
  const { status } = outcome
  if (status !== 'success') {
    const { errorMessage, ...error } = outcome.error
    yield { timestamp, level: 'ERROR', message: errorMessage, ...error }
  }
  yield { timestamp, level: 'INFO', message: 'platform.report', status, durationMs }
}
