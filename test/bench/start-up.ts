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
  /** The same with the QUIC engine that needs nothing built. */
  quicheMb: number
  quicheMs: number
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
    const bundles = [await buildFunction(), await buildFunction({ engine: 'quiche' })] as const
    // In turn, so that other load on the machine touches both.
    const starts = Array.from({ length: times }, (_, i) =>
      bundles.map(({ zip }, which) => startFunction(zip, join(folder, `${i}-${which}`))),
    )
    const [functions, quiche] = [0, 1].map(index => starts.map(each => each[index]!)) as [Timed[], Timed[]]
    const programs = Array.from({ length: times }, () => timed([...program, '--version'], root))
    return {
      program: built ? 'dist/lambda-nat-proxy' : 'bun cli/main.ts',
      programMb: built ? statSync(executable).size / 1e6 : 0,
      programMs: median(programs.map(({ ms }) => ms)),
      functionMb: bundles[0].zip.length / 1e6,
      functionMs: median(functions.map(({ ms }) => ms)),
      functionLoadMs: median(functions.map(({ said }) => Number(said))),
      quicheMb: bundles[1].zip.length / 1e6,
      quicheMs: median(quiche.map(({ ms }) => ms)),
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

// --- internal ---

const limitMs = 30_000

interface Timed {
  ms: number
  said: string
}

/** From a folder of its own: nothing that was compiled for another is found. */
function startFunction(zip: Uint8Array, folder: string): Timed {
  mkdirSync(folder, { recursive: true })
  for (const [name, bytes] of Object.entries(unzipSync(zip))) writeFileSync(join(folder, name), bytes)
  return timed([node, '-e', load], folder)
}

function timed([program, ...args]: string[], cwd: string): Timed {
  const { NODE_COMPILE_CACHE: _, ...env } = process.env
  const began = performance.now()
  const said = execFileSync(program!, args, { cwd, env, encoding: 'utf8', timeout: limitMs })
  return { ms: performance.now() - began, said }
}

const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
