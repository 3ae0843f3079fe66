import { spawn } from 'node:child_process'
import { readLines } from './lines.ts'

export interface ProcessOptions {
  /** Program and arguments. */
  command: readonly string[]
  cwd: string
  /** The whole environment: nothing of this process's is added. */
  environment: Record<string, string>
  onLine: (line: string, level: 'INFO' | 'ERROR') => void
}

export interface Invocation {
  event: unknown
  requestId: string
  functionArn: string
  /** Milliseconds since the epoch. */
  deadline: number
}

/** The outcome of loading or calling the function; errors in the form that Lambda reports them. */
export type Outcome =
  | { status: 'success'; result?: unknown }
  | { status: 'error' | 'timeout'; error: { errorType: string; errorMessage: string; stackTrace?: string[] } }

/** A process that has the function loaded and handles one event at a time. */
export interface FunctionProcess {
  readonly pid: number
  /** False once it has ended or was killed. */
  readonly alive: boolean
  /** Settles when the function is loaded, or with what kept it from loading. */
  readonly loaded: Promise<Outcome>
  readonly ended: Promise<void>
  /** Calls the handler of a loaded function; kills the process at the invocation's deadline. Never rejects. */
  invoke(invocation: Invocation): Promise<Outcome>
  kill(): void
}

/** Lambda's own limit for loading a function. */
const loadLimitMs = 10_000

/** Starts a process that loads the function. A program that cannot be run is an outcome of loading, too. */
export function startProcess({ command, cwd, environment, onLine }: ProcessOptions): FunctionProcess {
  const [program = '', ...args] = command
  const child = spawn(program, args, {
    cwd,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // The form that Bun at this end and Node at the other have in common.
    serialization: 'json',
    // A group of its own: Ctrl-C at the terminal is for the client, which ends its sessions in order.
    detached: !isWindows,
    windowsHide: true,
  })
  const pid = child.pid ?? 0
  if (child.stdout) readLines(child.stdout, line => onLine(line, 'INFO'))
  if (child.stderr) readLines(child.stderr, line => onLine(line, 'ERROR'))

  // What did not start has no group either: the number 0 would stand for this process's own.
  let alive = child.pid !== undefined
  let exit: Outcome | undefined
  let settle: ((outcome: Outcome) => void) | undefined
  const ended = Promise.withResolvers<void>()

  /** The next message of the process, which is killed when none comes within the limit. */
  const reply = (limitMs: number, late: string) =>
    new Promise<Outcome>(resolve => {
      const timer = setTimeout(() => {
        kill()
        settle?.(failure('timeout', 'Sandbox.Timedout', late))
      }, limitMs)
      settle = outcome => {
        clearTimeout(timer)
        settle = undefined
        resolve(outcome)
      }
      if (exit) settle(exit)
    })

  const kill = () => {
    if (!alive) return
    alive = false
    try {
      // The group: the command may have put a process of its own between.
      if (isWindows) child.kill('SIGKILL')
      else process.kill(-pid, 'SIGKILL')
    } catch {
      // It has ended, and its exit event is still to come.
    }
  }

  const end = (errorType: string, errorMessage: string) => {
    alive = false
    exit = failure('error', errorType, errorMessage)
    settle?.(exit)
    ended.resolve()
  }

  child.on('message', message => settle?.(message as Outcome))
  child.on('exit', (code, signal) =>
    end('Runtime.ExitError', `the process ended ${signal ? `by ${signal}` : `with exit code ${code}`}`),
  )
  child.on('error', error => {
    // Otherwise it is a message to a process that has just ended: its exit says the same.
    if (child.pid === undefined)
      end('Runtime.InvalidEntrypoint', `${program} cannot be run: ${error.message}`)
  })

  return {
    pid,
    get alive() {
      return alive
    },
    loaded: reply(loadLimitMs, `the function was not loaded within ${loadLimitMs / 1_000} seconds`),
    ended: ended.promise,
    invoke(invocation) {
      const limitMs = invocation.deadline - Date.now()
      const outcome = reply(limitMs, `Task timed out after ${(limitMs / 1_000).toFixed(2)} seconds`)
      if (child.connected) child.send(invocation)
      return outcome
    },
    kill,
  }
}

// --- internal ---

const isWindows = process.platform === 'win32'

const failure = (status: 'error' | 'timeout', errorType: string, errorMessage: string): Outcome => ({
  status,
  error: { errorType, errorMessage },
})
