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
        hint: 'Ask for fewer exits, or wait until some have ended.',
      },
    )
  }
}
