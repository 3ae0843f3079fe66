import { join, relative } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { defineCommand } from 'citty'
import { UsageError } from '../cli/input/usage-error.ts'
import { describe } from '../cli/output/help.ts'
import { runScript } from '../cli/output/script.ts'
import { type Executed, endAll, execute } from './support/execute.ts'
import { measuredPatience } from './support/patience.ts'

interface Job {
  name: string
  /** Arguments for this very runtime: nothing needs to be on PATH. */
  args: string[]
  /** A check prints no totals; it passes by its exit code. */
  check?: boolean
}

interface Outcome {
  passed: number
  failed: number
  leftOut: string[]
  /** Name and reason of each test that failed. */
  failures: string[]
  /** Why the file as a whole failed, apart from its tests. */
  trouble: string | undefined
}

const root = join(import.meta.dir, '..')
/** What a file may take in milliseconds on a machine at rest. Some install what they need first. */
const limitMs = 600_000
/** What it may take after uvu's last line: more and it has left something open. Milliseconds on a machine at rest. */
const closeLimitMs = 20_000
/** Where the longest files are, which go first: the last to end has no company. */
const longest = [join('test', 'lab'), join('test', 'browser')]

const isUnit = (file: string) => file.startsWith(join('test', 'unit'))
const fileJob = (file: string): Job => ({ name: relative('test', file), args: [join(root, file)] })
/** First and alone, so that all tests find the same engines. */
const engine: Job = {
  name: 'native engine',
  args: [join(root, 'test/support/build-native.ts')],
  check: true,
}
const checks: Job[] = [
  { name: 'format and lint', args: ['node_modules/@biomejs/biome/bin/biome', 'check', '.'], check: true },
  { name: 'types', args: ['node_modules/typescript/bin/tsc', '--noEmit'], check: true },
  {
    name: 'types of the page',
    args: ['node_modules/typescript/bin/tsc', '--noEmit', '-p', 'cli/dashboard/page'],
    check: true,
  },
]

let interrupted = false
for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const)
  process.on(signal, async () => {
    // Who asks twice does not wait for what is being taken down.
    if (interrupted) process.exit(130)
    interrupted = true
    await endAll()
    process.exit(130)
  })

await runScript(
  ['bun run', 'test'],
  defineCommand({
    meta: describe({
      description:
        'Run formatter, linter, types and every test file, each in a process of its own, and add up. As root on Debian the tests install what they need.',
      exits: { failed: 'a check or a test failed' },
      examples: [['test unit/frames', 'The files with that in their path']],
    }),
    args: {
      part: { type: 'positional', required: false, repeated: true, description: 'Of the path of a file' },
    },
    run: ({ args }) => runFiles(args._),
  }),
)

// --- internal ---

/** Ends the process: with 1 when anything failed. */
async function runFiles(selected: readonly string[]): Promise<never> {
  const all = [...new Bun.Glob('test/**/*.test.ts').scanSync(root)].sort()
  const unknown = selected.find(part => !all.some(file => file.includes(part)))
  if (unknown !== undefined)
    throw new UsageError(`no test file has '${unknown}' in its path: name a part of one, as in unit/frames`)
  const files = all.filter(file => selected.length === 0 || selected.some(part => file.includes(part)))
  const started = performance.now()
  const outcomes = selected.length > 0 ? [] : await runLanes([[engine]])
  outcomes.push(
    ...(await runLanes([
      [...(selected.length > 0 ? [] : checks), ...files.filter(isUnit).map(fileJob)],
      longestFirst(files.filter(file => !isUnit(file))).map(fileJob),
    ])),
  )
  const sum = (key: 'passed' | 'failed') => outcomes.reduce((total, outcome) => total + outcome[key], 0)
  const failed = sum('failed')
  console.log()
  for (const line of outcomes.flatMap(({ leftOut }) => leftOut)) console.log(line)
  for (const line of outcomes.flatMap(({ failures }) => failures)) console.log(`FAILED ${line}`)
  console.log(`All of it took ${secondsSince(started)} s.`)
  console.log(`${sum('passed')} passed, ${failed} failed`)
  process.exit(failed > 0 ? 1 : 0)
}

function longestFirst(files: string[]): string[] {
  const isLong = (file: string) => longest.some(folder => file.startsWith(folder))
  return [...files.filter(isLong), ...files.filter(file => !isLong(file))]
}

/**
 * One job of each lane at a time; who has none left helps the others. So unit tests go on while programs are
 * installed and periods waited for.
 */
async function runLanes(lanes: Job[][]): Promise<Outcome[]> {
  const done: Outcome[] = []
  const next = (own: Job[]) => own.shift() ?? lanes.find(lane => lane.length > 0)?.shift()
  const work = async (own: Job[]) => {
    for (let job = next(own); job; job = next(own)) done.push(await runJob(job))
  }
  await Promise.all(lanes.map(work))
  return done
}

function secondsSince(started: number): string {
  return ((performance.now() - started) / 1000).toFixed(1)
}

async function runJob(job: Job): Promise<Outcome> {
  const started = performance.now()
  const patience = process.env.TEST_PATIENCE ?? String(measuredPatience())
  const executed = await execute(job.args, {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined, TEST_PATIENCE: patience },
    limitMs: (limitMs * Math.max(2, Number(patience))) / 2,
    last: { words: /^ *Duration: /m, limitMs: (closeLimitMs * Math.max(2, Number(patience))) / 2 },
  })
  // What a run that is being ended left undone is no failure of its tests.
  if (interrupted) return new Promise(() => {})
  const { output } = executed
  const outcome = judge(job, executed)
  const { passed, failed, leftOut, trouble } = outcome
  const counts = `${passed} passed${failed > 0 ? `, ${failed} failed` : ''}${leftOut.length > 0 ? ', some left out' : ''}`
  console.log(`${failed > 0 ? '✗' : '✓'} ${job.name}: ${counts} (${secondsSince(started)} s)`)
  if (failed > 0) console.log(`${output.trimEnd()}\n${trouble ? `${job.name} ${trouble}\n` : ''}`)
  return outcome
}

/** Reads uvu's totals. A file that dies, hangs or has none has failed, whatever its tests did. */
function judge({ name, check }: Job, { output, end }: Executed): Outcome {
  const text = stripVTControlCharacters(output)
  const total = (label: string) => {
    const found = [...text.matchAll(new RegExp(`^ *${label}: +(\\d+)$`, 'gm'))].at(-1)?.[1]
    return found === undefined ? undefined : Number(found)
  }
  const leftOut: string[] = text.match(/^.*LEFT OUT.*$/gm) ?? []
  const ended = end === 0 ? undefined : `ended with ${end}`
  if (check) {
    const failures = ended ? [`${name} ${ended}`] : []
    return { passed: ended ? 0 : 1, failed: failures.length, leftOut, failures, trouble: ended }
  }

  const passed = total('Passed') ?? 0
  // A test that is skipped has not passed.
  const failed = (total('Total') ?? 0) - passed + (total('Skipped') ?? 0)
  const silent = !total('Total') && leftOut.length === 0 ? 'ran no tests' : undefined
  const trouble = failed > 0 ? undefined : (ended ?? silent)
  const told = failuresIn(text).map(failure => `${name}: ${failure}`)
  // uvu says nothing of a hook that fails before all tests.
  const hook =
    failed > 0 && told.length === 0 ? [`${name}: of its tests ${failed} did not run, for a hook failed`] : []
  const failures = trouble ? [`${name} ${trouble}`] : [...told, ...hook]
  return { passed, failed: trouble ? 1 : failed, leftOut, failures, trouble }
}

/** What uvu says of each test that failed: its name, and the first line of the reason. */
function failuresIn(text: string): string[] {
  return [...text.matchAll(/^ *FAIL +(.*)\n+ *(.*)$/gm)].map(([, test, reason]) => `${test}: ${reason}`)
}
