import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { patient } from '../support/patience.ts'

// Programs that a test starts and speaks with, a line at a time.

export interface RunOptions {
  env?: Record<string, string | undefined>
  cwd?: string
}

export interface Running {
  pid: number
  /** Resolves with the exit code, or the signal's name. */
  exit: Promise<number | string>
  /** All lines of stdout and stderr so far. */
  said(): string
  /** The first line of either that matches and was not given before. Fails when the program ends first, or after `limit` ms. */
  line(pattern: RegExp, limit?: number): Promise<RegExpExecArray>
  /** Writes a line to its stdin. */
  tell(line: string): void
  /** Sends it a signal. */
  signal(name: NodeJS.Signals): void
  /** Ends it and waits; SIGKILL after 3 seconds. */
  stop(signal?: NodeJS.Signals): Promise<number | string>
}

const lineLimit = patient(15_000)
const stopLimit = patient(3_000)

export function start(command: readonly string[], options: RunOptions = {}): Running {
  const [program, ...args] = command
  const child = spawn(program!, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const lines: string[] = []
  const fresh: string[] = []
  let ended = false
  const changed = new Set<() => void>()
  const wake = () => {
    for (const check of [...changed]) check()
  }

  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', line => {
      lines.push(line)
      fresh.push(line)
      wake()
    })
  child.stdin.on('error', () => {}) // it may end before it has read all
  // 'close' comes after the last line, 'exit' may come before it.
  const exit = once(child, 'close').then(
    ([code, signal]: (number | string | null)[]) => code ?? signal ?? -1,
    (error: Error) => {
      lines.push(error.message)
      return -1
    },
  )
  exit.then(() => {
    ended = true
    wake()
  })

  const said = () => lines.join('\n')

  return {
    pid: child.pid ?? -1,
    exit,
    said,
    line: (pattern, limit = lineLimit) =>
      new Promise((resolve, reject) => {
        const failed = (why: string) =>
          done(() => reject(new Error(`${command.join(' ')} ${why} ${pattern}. It said:\n${said()}`)))
        const timer = setTimeout(() => failed(`gave in ${limit} ms no line that matches`), limit)
        const check = () => {
          const at = fresh.findIndex(line => pattern.test(line))
          const [line] = at < 0 ? [] : fresh.splice(at, 1)
          if (line !== undefined) return done(() => resolve(pattern.exec(line)!))
          if (ended) failed('ended without a line that matches')
        }
        const done = (settle: () => void) => {
          clearTimeout(timer)
          changed.delete(check)
          settle()
        }
        changed.add(check)
        check()
      }),
    tell: line => void child.stdin.write(`${line}\n`),
    signal: name => void child.kill(name),
    async stop(signal = 'SIGTERM') {
      child.kill(signal)
      const timer = setTimeout(() => child.kill('SIGKILL'), stopLimit)
      const code = await exit
      clearTimeout(timer)
      return code
    },
  }
}

/** Starts a program that says when it is ready: `words` are the first lines that match, one a pattern. Ends it where it does not. */
export async function startServer(
  command: readonly string[],
  ready: readonly RegExp[],
  limit = lineLimit,
): Promise<Running & { words: RegExpExecArray[] }> {
  const server = start(command)
  try {
    return { ...server, words: await Promise.all(ready.map(pattern => server.line(pattern, limit))) }
  } catch (error) {
    await server.stop('SIGKILL')
    throw error
  }
}

/** Runs a command to its end, `input` on its stdin, and gives its stdout. Fails, with what it said on stderr, unless it ends with 0. */
export async function finish(
  command: readonly string[],
  input = '',
  options: RunOptions = {},
): Promise<string> {
  const [program, ...args] = command
  const child = spawn(program!, args, { cwd: options.cwd, env: { ...process.env, ...options.env } })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}: ${stderr}${stdout}`)
  return stdout
}
