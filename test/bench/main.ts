import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { node, root, start, stopAll, withKey } from './processes.ts'
import { measureSetUp } from './set-up.ts'
import { measureStartUp } from './start-up.ts'
import { chain } from './subjects/chain.ts'
import { direct } from './subjects/direct.ts'
import { gost } from './subjects/gost.ts'
import { plainSocks } from './subjects/plain-socks.ts'
import { bare, tunnel } from './subjects/quic.ts'
import { ssh } from './subjects/ssh.ts'
import type { Subject } from './subjects/subject.ts'
import { type Report, table } from './table.ts'
import { better, type Origin, runTrial, type Trial } from './trial.ts'
import { sizes, workloads } from './workloads.ts'

// Measures this proxy beside what it is built on and what else one would use, all in one run on the loopback
// address. --quick takes half a minute and shows only that everything works; --full has more short requests.
// Other arguments choose subjects and workloads by name.

const arguments_ = process.argv.slice(2)
const names = arguments_.filter(argument => !argument.startsWith('--'))
const quick = arguments_.includes('--quick')
const size = quick ? sizes.quick : arguments_.includes('--full') ? sizes.full : sizes.normal
const repetitions = quick ? 1 : 3

const allSubjects = [bare, tunnel, chain, gost, ssh, plainSocks, direct]
const allWorkloads = workloads(size)
const subjects = chosen(allSubjects)
const chosenWorkloads = chosen(allWorkloads)
const leftOut: string[] = []

if (process.platform !== 'linux') {
  console.error('The bench reads CPU and memory from /proc: run it on Linux.')
  process.exit(1)
}
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => void stopAll().then(() => process.exit(130)))

try {
  const usable = await prepare(subjects)
  const server = start([node, join(root, 'test/bench/programs/origin.ts')])
  const { port } = await server.hear('it had a port', withKey<{ port: number }>('port'))
  const trials = await runAll(usable, { port, pid: server.pid })
  const report: Report = {
    date: new Date().toISOString().slice(0, 10),
    commit: git('describe', '--always', '--dirty'),
    machine: `${cpus()[0]?.model.trim()}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Bun ${Bun.version}, Node ${execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()}`,
    repetitions,
    trials,
    setUp: await measureSetUp(quick ? 1 : 9),
    startUp: await measureStartUp(quick ? 1 : 9),
    leftOut,
  }
  mkdirSync(join(root, 'dist'), { recursive: true })
  writeFileSync(join(root, 'dist/bench.json'), `${JSON.stringify(report, null, 2)}\n`)
  console.log(`\n${table(report, allSubjects, allWorkloads)}`)
} finally {
  await stopAll()
}
process.exit(leftOut.some(line => line.startsWith('failed')) ? 1 : 0)

// --- internal ---

/** Those that an argument names, or all where none is named. */
function chosen<T extends { name: string }>(all: readonly T[]): readonly T[] {
  const some = all.filter(({ name }) => names.includes(name))
  return some.length > 0 ? some : all
}

/** The subjects that this machine can have; the others are named, loudly. */
async function prepare(all: readonly Subject[]): Promise<Subject[]> {
  const usable: Subject[] = []
  for (const subject of all) {
    try {
      await subject.prepare?.()
      usable.push(subject)
    } catch (error) {
      leave(`${subject.name} cannot be had on this machine`, error)
    }
  }
  return usable
}

/** Every workload on every subject, in turn, so that a change of the machine's mood touches all alike. */
async function runAll(usable: readonly Subject[], origin: Origin): Promise<Trial[]> {
  const best = new Map<string, Trial>()
  for (let repetition = 1; repetition <= repetitions; repetition++)
    for (const workload of chosenWorkloads)
      for (const subject of usable) {
        if (subject.oneStream && workload.load.connections > 1) continue
        const key = `${subject.name} ${workload.name}`
        try {
          const trial = await runTrial(subject, workload, origin)
          best.set(key, better(best.get(key), trial, workload.figure))
          console.error(
            `${repetition}/${repetitions} ${subject.name}, ${workload.title}: ${trial[workload.figure].toFixed(1)} ${workload.figure}${trial.failures > 0 ? `, ${trial.failures} FAILED: ${trial.why}` : ''}`,
          )
        } catch (error) {
          leave(`failed: ${subject.name}, ${workload.title}`, error)
        }
      }
  return [...best.values()]
}

/** The first line goes into the report; the rest may name what is only this machine's. */
function leave(what: string, error: unknown): void {
  const [first, ...rest] = (error instanceof Error ? error.message : String(error)).trim().split('\n')
  leftOut.push(`${what}: ${first}`)
  console.error(`\n*** LEFT OUT: ${what}: ${[first, ...rest].join('\n    ')}\n`)
}

function git(...args: string[]): string {
  try {
    return execFileSync('git', args, {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return 'unknown'
  }
}
