import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { unzipSync } from 'fflate'
import { buildRelease } from '../../cli/build/release.ts'
import { thisPlatform } from '../../cli/build/targets.ts'
import { buildFunction } from '../../function/build.ts'

// What there is to download and how long it takes to start, as JSON: the executable (a process that prints its
// version, another that prints its help), and the function (from `require` to a handler, on Node 24, in a process of its own).

const runs = 20
const root = join(import.meta.dir, '../..')
const node = join(root, 'node_modules/node/bin/node')

interface Figures {
  medianMs: number
  leastMs: number
  mostMs: number
}

const folder = await mkdtemp(join(tmpdir(), 'lambda-nat-proxy-bench-'))
try {
  const native = thisPlatform()
  const executable = native && (await measureExecutable(join(folder, `lambda-nat-proxy${native.suffix}`)))
  const figures = {
    date: new Date().toISOString(),
    cpu: cpus()[0]?.model,
    runs,
    executable,
    function: await measureFunction(),
  }
  console.log(JSON.stringify(figures, undefined, 2))
} finally {
  await rm(folder, { recursive: true, force: true })
}

// --- internal ---

async function measureExecutable(path: string) {
  await buildRelease({ outdir: folder, native: thisPlatform() })
  return {
    bytes: (await stat(path)).size,
    version: figuresOf(() => timed(path, '--version')),
    help: figuresOf(() => timed(path, '--help')),
  }
}

async function measureFunction() {
  const { zip } = await buildFunction()
  for (const [name, bytes] of Object.entries(unzipSync(zip))) await writeFile(join(folder, name), bytes)
  const script = `const start = performance.now()
require(process.argv[1]).handler
console.log(performance.now() - start)`
  const load = () => Number(output(node, '-e', script, join(folder, 'index.js')))
  return {
    zipBytes: zip.length,
    load: existsSync(node) ? figuresOf(load) : undefined,
    process: existsSync(node)
      ? figuresOf(() => timed(node, '-e', script, join(folder, 'index.js')))
      : undefined,
  }
}

function output(program: string, ...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8' })
  if (status !== 0) throw error ?? new Error(`${program} ended with ${status}: ${stderr}`)
  return stdout
}

function timed(program: string, ...args: string[]): number {
  const start = performance.now()
  output(program, ...args)
  return performance.now() - start
}

/** Figures of a measurement in milliseconds. The first run, which fills the system's caches, does not count. */
function figuresOf(measure: () => number): Figures {
  measure()
  const sorted = Array.from({ length: runs }, measure).sort((a, b) => a - b)
  const round = (ms: number) => Math.round(ms * 10) / 10
  const middle = (sorted[runs / 2 - 1]! + sorted[runs / 2]!) / 2
  return { medianMs: round(middle), leastMs: round(sorted[0]!), mostMs: round(sorted.at(-1)!) }
}
