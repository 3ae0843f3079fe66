import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { unzipSync } from 'fflate'
import { buildFunction } from '../../function/build.ts'
import { node, root } from './processes.ts'

export interface StartUp {
  /** What was started: the executable, or the sources where none has been built. */
  program: string
  /** Megabytes of the executable, 0 for the sources. */
  programMb: number
  /** Until `--version` has ended, in milliseconds. */
  programMs: number
  /** Size of function.zip in megabytes. */
  functionMb: number
  /** From the start of Node until the handler is there, and the bundle's share of it, in milliseconds. */
  functionMs: number
  functionLoadMs: number
}

/** Loads the bundle as Lambda's runtime does, and says how long that took. */
const load = `
const began = performance.now()
if (typeof require('./index.js').handler !== 'function') throw new Error('no handler')
console.log(performance.now() - began)
process.exit(0)
`

/** Starts the executable and the function so many times and gives the medians. */
export async function measureStartUp(times: number): Promise<StartUp> {
  const executable = join(root, 'dist/lambda-nat-proxy')
  const built = existsSync(executable)
  const program = built ? [executable] : [process.execPath, join(root, 'cli/main.ts')]
  const folder = mkdtempSync(join(tmpdir(), 'bench-start-up-'))
  try {
    const { zip } = await buildFunction()
    const files = Object.entries(unzipSync(zip))
    const functions = Array.from({ length: times }, (_, i) => {
      // A folder of its own each time: nothing that was compiled for another is found.
      const directory = join(folder, String(i))
      mkdirSync(directory)
      for (const [name, bytes] of files) writeFileSync(join(directory, name), bytes)
      return timed([node, '-e', load], directory)
    })
    const programs = Array.from({ length: times }, () => timed([...program, '--version'], root))
    return {
      program: built ? 'dist/lambda-nat-proxy' : 'bun cli/main.ts',
      programMb: built ? statSync(executable).size / 1e6 : 0,
      programMs: median(programs.map(({ ms }) => ms)),
      functionMb: zip.length / 1e6,
      functionMs: median(functions.map(({ ms }) => ms)),
      functionLoadMs: median(functions.map(({ said }) => Number(said))),
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

// --- internal ---

const limitMs = 30_000

function timed([program, ...args]: string[], cwd: string): { ms: number; said: string } {
  const { NODE_COMPILE_CACHE: _, ...env } = process.env
  const began = performance.now()
  const said = execFileSync(program!, args, { cwd, env, encoding: 'utf8', timeout: limitMs })
  return { ms: performance.now() - began, said }
}

const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
