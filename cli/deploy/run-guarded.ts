import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { consola } from 'consola'

export interface GuardedResult {
  /** Exit code; null after a signal that it did not handle. */
  code: number | null
  /** What it said on standard error. */
  errors: string
  /** It was told to stop before it had finished. */
  interrupted: boolean
}

/** A command that takes this long hangs, and is told to stop. Milliseconds. */
const limitMs = 45 * 60_000

/**
 * Runs a program that must not be cut off, since it has to write down what it did. A Ctrl-C, a SIGTERM and a closed
 * terminal reach it once, as the SIGINT at which it stops in an orderly way, and its end is waited for. A
 * third one reaches it again, which Terraform takes as an order to give up. On Windows the console itself brings it each
 * Ctrl-C, since a signal from here would be its end at once.
 */
export async function runGuarded(
  path: string,
  args: string[],
  { cwd, env, onLine }: { cwd: string; env: NodeJS.ProcessEnv; onLine: (line: string) => void },
): Promise<GuardedResult> {
  // In a process group of its own: the terminal's Ctrl-C would reach it a second time.
  const child = spawn(path, args, { cwd, env, detached: !isWindows, stdio: ['ignore', 'pipe', 'pipe'] })
  let signals = 0
  const interrupt = () => {
    signals++
    if (signals === 1)
      consola.warn('Stopping: waiting for Terraform to finish this step and write its state.')
    if (signals === 2 && !isWindows)
      consola.warn('Still waiting, so that nothing is lost. Once more ends it at once.')
    if (signals !== 2 && !isWindows) child.kill('SIGINT')
  }
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const name of names) process.on(name, interrupt)
  const limit = setTimeout(() => (isWindows ? child.kill() : interrupt()), limitMs)

  let errors = ''
  child.stderr.on('data', chunk => {
    errors += chunk
  })
  createInterface({ input: child.stdout }).on('line', onLine)
  try {
    const [code] = (await once(child, 'close')) as [number | null]
    return { code, errors, interrupted: signals > 0 }
  } finally {
    clearTimeout(limit)
    for (const name of names) process.off(name, interrupt)
  }
}

// --- internal ---

const isWindows = process.platform === 'win32'
