import type { FunctionReport, Invocations } from './inspect.ts'

/** What there is to do about a part that is missing or not as it was deployed. */
export const mend = 'run "lambda-nat-proxy deploy" to mend it'

/** What keeps a function from answering offers. */
export function* functionProblems(it: FunctionReport): Generator<string> {
  const reason = it.reason === null ? '' : ` (${it.reason})`
  // Inactive: not used for weeks; the next offer wakes it.
  if (!['Active', 'Inactive'].includes(it.state)) yield `the function is ${it.state}${reason}`
  if (it.lastUpdate !== 'Successful') yield `the function's last update is ${it.lastUpdate}${reason}`
  if (it.reservedConcurrency === 0) yield 'the function is stopped: its reserved concurrency is 0'
  if (it.retries !== 0) yield `a failed session would run again by itself: ${mend}`
}

/** What CloudWatch's count has to complain of. */
export function* invocationProblems({
  hours,
  invocations,
  errors,
  throttles,
}: Invocations): Generator<string> {
  if (errors * 2 > invocations)
    yield `${errors} of ${invocations} invocations of the last ${hours} hours failed: see "lambda-nat-proxy status --logs"`
  if (throttles > 0)
    yield `${throttles} invocations of the last ${hours} hours were throttled: raise the concurrency`
}
