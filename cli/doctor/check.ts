import { CodedError } from '../../tunnel/net/coded-error.ts'
import { explained } from '../input/system-error.ts'

export type Status = 'ok' | 'warn' | 'fail' | 'skip'

/** What a check found. */
export interface Finding {
  status: Status
  /** What was found, for programs; always set with `warn` and `fail`. */
  code?: string
  /** For a person, a sentence or less. */
  message: string
  /** What to do about it, where the check that found it knows. */
  hint?: string
  /** The same for programs. */
  facts?: Record<string, unknown>
}

export interface Check<Context> {
  name: string
  /** Checks that this one depends on: it waits for them, and is skipped when one of them has failed. */
  after?: readonly string[]
  /** Milliseconds; what is not done by then has failed. */
  limitMs: number
  /** An error is a finding, too: see `failure`. */
  run(context: Context): Promise<Finding>
}

export interface Result extends Finding {
  name: string
  /** What the check took. */
  ms: number
}

/** Runs the checks in parallel where they do not depend on each other, and yields the results in order. */
export async function* examine<Context>(
  checks: readonly Check<Context>[],
  context: Context,
): AsyncGenerator<Result> {
  const outcomes = new Map<string, Promise<Outcome>>()
  for (const check of checks) {
    const before = (check.after ?? []).map(name => outcomes.get(name)!)
    outcomes.set(check.name, examineOne(check, context, before))
  }
  for (const outcome of outcomes.values()) yield (await outcome).result
}

/** An error as a finding. */
export const failure = (error: unknown): Finding => ({ status: 'fail', ...explained(error) })

// --- internal ---

interface Outcome {
  result: Result
  /** Checks that come after it may run. */
  passable: boolean
}

async function examineOne<Context>(
  { name, limitMs, run }: Check<Context>,
  context: Context,
  before: Promise<Outcome>[],
): Promise<Outcome> {
  const earlier = await Promise.all(before)
  const obstacle = earlier.find(({ passable }) => !passable)
  if (obstacle) {
    const message = `needs ${obstacle.result.name}`
    return { result: { name, status: 'skip', message, ms: 0 }, passable: false }
  }
  const started = performance.now()
  const finding = await withLimit(run(context), limitMs).catch(error => failure(error))
  const result = { name, ...finding, ms: Math.round(performance.now() - started) }
  return { result, passable: finding.status !== 'fail' }
}

async function withLimit(work: Promise<Finding>, limitMs: number): Promise<Finding> {
  const { promise, reject } = Promise.withResolvers<never>()
  const late = new CodedError('E_CHECK_TIMEOUT', `it was not done within ${limitMs / 1000} s`)
  const timer = setTimeout(() => reject(late), limitMs)
  try {
    return await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
  }
}
