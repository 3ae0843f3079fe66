import { CodedError } from '../../tunnel/net/coded-error.ts'

export type ControlErrorCode =
  | 'E_CONTROL_REQUEST'
  | 'E_CONTROL_OPERATION'
  | 'E_CONTROL_METHOD'
  | 'E_CONTROL_TOKEN'
  | 'E_CONTROL_STARTING'
  | 'E_CONTROL_PATH'
  | 'E_CONTROL_BUSY'
  | 'E_CONTROL_SILENT'
  | 'E_CONTROL_LOST'
  | 'E_RELOAD_FAILED'
  | 'E_ROTATE_TIMEOUT'
  | 'E_PROXY_NOT_RUNNING'
  | 'E_SEVERAL_PROXIES'

/** A running proxy cannot be reached, or cannot do what it is asked. */
export class ControlError extends CodedError<ControlErrorCode> {
  override readonly name = 'ControlError'
}
