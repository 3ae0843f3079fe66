import { CodedError } from '../../tunnel/net/coded-error.ts'
import { UsageError } from '../input/usage-error.ts'

/** What the embedded cloud cannot start with: bad input, or something that this machine lacks. */
export class CloudError extends UsageError {
  override readonly name = 'CloudError'
}

/** Function processes of all regions together: a client gone wrong must not fill the machine with them. */
export const maxProcesses = 32

/** Every process that may run is busy. */
export class CapacityError extends CodedError<'E_FUNCTION_PROCESSES_FULL'> {
  override readonly name = 'CapacityError'

  constructor() {
    super(
      'E_FUNCTION_PROCESSES_FULL',
      `${maxProcesses} function processes are busy, and no more are started`,
      {
        hint: 'ask for fewer exits, or wait until some have ended',
      },
    )
  }
}

/** The system's error for a port that could not be had, in words that name the port and the option. */
export function listenError(
  error: unknown,
  what: string,
  option: string,
  host: string,
  port: number,
): CloudError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  const reasons: Record<string, string> = {
    EADDRINUSE: `is in use; choose another with ${option}, or ${option} 0 for any that is free`,
    EACCES: `needs privileges; choose one of 1024 or higher with ${option}`,
    EADDRNOTAVAIL: `cannot be had: ${host} is not an address of this machine; choose one that is with --host`,
  }
  const reason =
    reasons[String(code)] ??
    `cannot be had (${error instanceof Error ? error.message : error}); see ${option}`
  return new CloudError(`the ${what} port ${port} on ${host} ${reason}`, { cause: error })
}
