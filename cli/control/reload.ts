import { errorData } from '../../tunnel/net/coded-error.ts'
import type { ProxyEvent } from '../client/stats/events.ts'
import { errorsIn } from '../input/together.ts'
import { ControlError } from './control-error.ts'

/** What a reload brought. Nothing that is open was touched. */
export type ReloadReport = Omit<Extract<ProxyEvent, { type: 'config.reloaded' }>, 'type'>

/** Why settings could not be reloaded: all that is wrong, in one message. */
export function reloadError(error: unknown): ControlError {
  // Two settings may name the same file.
  const all = new Set(errorsIn(error).map(each => errorData(each).message.replace(/\.$/, '')))
  return new ControlError('E_RELOAD_FAILED', `nothing has changed: ${[...all].join('; ')}`, { cause: error })
}
