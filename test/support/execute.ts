import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kill, killStrays } from './strays.ts'

// A test file as a process of its own, in a process group and with a folder of temporary files of its own. However it
// ends, neither outlives it.

export interface Executed {
  /** All that it said. */
  output: string
  /** Its exit code, its signal, or in words why it was ended. */
  end: number | string
}

export interface ExecuteOptions {
  cwd: string
  env: NodeJS.ProcessEnv
  /** Milliseconds. */
  limitMs: number
  /** Once it has said this it has so many milliseconds left to end. */
  last: { words: RegExp; limitMs: number }
}

/** Who is asked to end has so long to clean up. Milliseconds. */
const graceMs = 5_000

/** Those that run, by the function that ends one at once. */
const running = new Map<() => void, ChildProcess>()

/** Runs a script by this very runtime to its end. */
export function execute(args: readonly string[], options: ExecuteOptions): Promise<Executed> {
  const { cwd, env, limitMs, last } = options
  // Short: a socket's path, far below it, has 103 bytes at most.
  const folder = mkdtempSync(join(tmpdir(), 'lnp-tests-'))
  // Some programs that tests start become another user.
  chmodSync(folder, 0o755)
  return new Promise(resolve => {
    const child = spawn(process.execPath, args, {
      cwd,
      env: { ...env, TMPDIR: folder },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    const cut = () => {
      killGroup(child)
      killStrays(folder)
      removeFolder(folder)
    }
    running.set(cut, child)
    let output = ''
    let why: string | undefined
    const endFor = (reason: string) => {
      why ??= reason
      endGently(child)
    }
    const timer = setTimeout(endFor, limitMs, `not done within ${limitMs / 1000} s`)
    let lastTimer: ReturnType<typeof setTimeout> | undefined
    const open = `still running ${last.limitMs / 1000} s after its last test: something is left open`
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
        if (lastTimer === undefined && last.words.test(output))
          lastTimer = setTimeout(endFor, last.limitMs, open)
      })
    child.on('error', error => resolve({ output: error.message, end: 'could not be started' }))
    // What it left behind would keep the pipes open, and the run waiting.
    child.on('exit', () => killGroup(child))
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      clearTimeout(lastTimer)
      running.delete(cut)
      cut()
      resolve({ output, end: why ?? code ?? signal ?? 'gone' })
    })
  })
}

/** Ends all that run, and resolves when nothing of them is left. */
export async function endAll(): Promise<void> {
  const ends = [...running.values()].map(child => {
    endGently(child)
    return new Promise(resolve => child.once('close', resolve))
  })
  await Promise.all(ends)
}

process.on('exit', () => {
  for (const cut of running.keys()) cut()
})

// --- internal ---

/** A lab takes its namespaces down when it is asked to end; who does not listen is killed. */
function endGently(child: ChildProcess): void {
  child.kill('SIGTERM')
  setTimeout(killGroup, graceMs, child).unref()
}

function killGroup({ pid }: ChildProcess): void {
  if (pid !== undefined) kill(-pid)
}

/** What is mounted in there may be the system's own, and is never removed with it. */
function removeFolder(folder: string): void {
  for (const place of mountedIn(folder).reverse()) spawnSync('umount', ['-l', place])
  if (mountedIn(folder).length > 0) return
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
}

function mountedIn(folder: string): string[] {
  const mounts = existsSync('/proc/self/mounts') ? readFileSync('/proc/self/mounts', 'utf8') : ''
  const places = mounts.split('\n').map(line => line.split(' ')[1] ?? '')
  return places.filter(place => place.startsWith(`${folder}/`))
}
