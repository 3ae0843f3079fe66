import type { FunctionReport, Invocations } from './inspect.ts'

export type ProblemCode =
  | 'E_NOT_DEPLOYED'
  | 'E_BUCKET_MISSING'
  | 'E_FUNCTION_MISSING'
  /** AWS cannot run it now. */
  | 'E_FUNCTION_STATE'
  /** Its last change failed, or goes on. */
  | 'E_FUNCTION_UPDATE'
  /** Its reserved concurrency is 0. */
  | 'E_FUNCTION_STOPPED'
  /** AWS runs a failed invocation again. */
  | 'E_FUNCTION_RETRIES'
  | 'E_INVOCATIONS_FAILED'
  | 'E_INVOCATIONS_THROTTLED'
  /** The bucket tells no function, or another one, of new offers. */
  | 'E_NOTIFICATION_MISSING'

/** What keeps a stack from being healthy. */
export interface Problem {
  code: ProblemCode
  message: string
  /** What to do about it. */
  hint?: string
}

/** What keeps a function from answering offers. */
export function* functionProblems(it: FunctionReport): Generator<Problem> {
  const reason = it.reason === null ? '' : ` (${it.reason})`
  // Inactive: not used for weeks; the next offer wakes it.
  if (!['Active', 'Inactive'].includes(it.state))
    yield { code: 'E_FUNCTION_STATE', message: `the function is ${it.state}${reason}` }
  if (it.lastUpdate !== 'Successful')
    yield { code: 'E_FUNCTION_UPDATE', message: `the function's last update is ${it.lastUpdate}${reason}` }
  if (it.reservedConcurrency === 0)
    yield { code: 'E_FUNCTION_STOPPED', message: 'the function is stopped: its reserved concurrency is 0' }
  if (it.retries !== 0)
    yield { code: 'E_FUNCTION_RETRIES', message: 'a failed session would run again by itself' }
}

/** What is wrong with CloudWatch's counts. */
export function* invocationProblems({
  hours,
  invocations,
  errors,
  throttles,
}: Invocations): Generator<Problem> {
  if (errors * 2 > invocations)
    yield {
      code: 'E_INVOCATIONS_FAILED',
      message: `${errors} of ${invocations} invocations of the last ${hours} hours failed`,
    }
  if (throttles > 0)
    yield {
      code: 'E_INVOCATIONS_THROTTLED',
      message: `${throttles} invocations of the last ${hours} hours were throttled`,
    }
}
