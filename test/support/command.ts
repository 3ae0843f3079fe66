import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { leftBehind } from './left-behind.ts'
import { until } from './until.ts'

const main = join(import.meta.dir, '../../cli/main.ts')

export interface Ended {
  code: number | null
  stdout: string
  /** All that was said, in the order of its coming, in one line. */
  said: string
}

export interface Running {
  process: ChildProcess
  said(): string
  end: Promise<Ended>
}

/** A command on a terminal. */
export interface AtTerminal {
  /** All that stands on the terminal so far. */
  said(): string
  type(text: string): void
  /** Closes the terminal, as a window that is closed does. */
  hangUp(): void
  kill(): void
  exited: Promise<number>
}

/** A home of its own, empty, for the command under test; no AWS of this machine's is in its environment. */
export interface Home {
  folder: string
  /** Of the command. */
  environment: Record<string, string>
  /** What stands before the command. */
  before: string[]
  /** Program and arguments that the command is run by: the sources, unless it is an executable. */
  command: string[]
  /** Width of its terminals. */
  columns: number
  start(...args: string[]): Running
  run(...args: string[]): Promise<Ended>
  /** Runs it on a terminal, where `answer` is typed when `question` is asked. */
  onTerminal(question: string, answer: string, ...args: string[]): Promise<Ended>
  /** Runs it on a terminal of its own, for a test to type on. */
  atTerminal(...args: string[]): AtTerminal
  /** What its runs have left in its cache, and in the folder where TMPDIR is that one. */
  leftovers(): string[]
  remove(): Promise<void>
}

export async function makeHome(environment: Record<string, string> = {}): Promise<Home> {
  const folder = await mkdtemp(join(tmpdir(), 'lambda-nat-proxy-test-'))
  await mkdir(join(folder, 'home'))
  const home: Home = {
    folder,
    environment: {
      PATH: '/usr/bin:/bin',
      HOME: join(folder, 'home'),
      AWS_EC2_METADATA_DISABLED: 'true',
      ...environment,
    },
    before: [],
    command: [process.execPath, main],
    columns: 200,
    start(...args) {
      const [program, ...given] = [...home.before, ...home.command, ...args]
      const child = spawn(program!, given, {
        cwd: folder,
        env: home.environment,
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      let stdout = ''
      let said = ''
      child.stdout.on('data', chunk => {
        stdout += chunk
        said += chunk
      })
      child.stderr.on('data', chunk => {
        said += chunk
      })
      const end = once(child, 'close').then(([code]) => ({
        code: code as number | null,
        stdout,
        said: oneLine(said),
      }))
      return { process: child, said: () => oneLine(said), end }
    },
    run: (...args) => home.start(...args).end,
    async onTerminal(question, answer, ...args) {
      const child = home.atTerminal(...args)
      let ended = false
      void child.exited.then(() => {
        ended = true
      })
      await until(() => ended || child.said().includes(question), `"${question}"`)
      child.type(answer)
      const code = await child.exited
      return { code, stdout: child.said(), said: oneLine(child.said()) }
    },
    atTerminal(...args) {
      let said = ''
      const decoder = new TextDecoder()
      const child = Bun.spawn([...home.before, ...home.command, ...args], {
        cwd: folder,
        env: { ...home.environment, TERM: 'xterm' },
        terminal: {
          cols: home.columns,
          rows: 50,
          data(_terminal, data) {
            said += decoder.decode(data, { stream: true })
          },
        },
      })
      return {
        said: () => said,
        type: text => void child.terminal!.write(text),
        hangUp: () => child.terminal!.close(),
        kill: () => child.kill('SIGKILL'),
        exited: child.exited,
      }
    },
    leftovers: () => leftBehind(folder, join(folder, 'home')),
    remove: () => rm(folder, { recursive: true, force: true }),
  }
  return home
}

// --- internal ---

const oneLine = (text: string) => text.replace(/\s+/g, ' ')
