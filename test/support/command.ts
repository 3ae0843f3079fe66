import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

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

/** A home of its own, empty, for the command under test; no AWS of this machine's is in its environment. */
export interface Home {
  folder: string
  /** Of the command. */
  environment: Record<string, string>
  /** What stands before the command. */
  before: string[]
  start(...args: string[]): Running
  run(...args: string[]): Promise<Ended>
  /** Runs it on a terminal, where `answer` is typed when `question` is asked. */
  onTerminal(question: string, answer: string, ...args: string[]): Promise<Ended>
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
    start(...args) {
      const [program, ...given] = [...home.before, process.execPath, main, ...args]
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
      let said = ''
      let answered = false
      const decoder = new TextDecoder()
      const child = Bun.spawn([process.execPath, main, ...args], {
        cwd: folder,
        env: { ...home.environment, TERM: 'xterm' },
        terminal: {
          cols: 200,
          rows: 50,
          data(terminal, data) {
            said += decoder.decode(data, { stream: true })
            if (answered || !said.includes(question)) return
            answered = true
            terminal.write(answer)
          },
        },
      })
      const code = await child.exited
      return { code, stdout: said, said: oneLine(said) }
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  }
  return home
}

// --- internal ---

const oneLine = (text: string) => text.replace(/\s+/g, ' ')
