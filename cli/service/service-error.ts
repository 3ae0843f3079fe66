import { CodedError } from '../../tunnel/net/coded-error.ts'

export type ServiceErrorCode =
  | 'E_SERVICE_UNSUPPORTED'
  | 'E_SERVICE_NO_SESSION'
  | 'E_SERVICE_RIGHTS'
  | 'E_SERVICE_PROGRAM'
  | 'E_SERVICE_NOT_INSTALLED'
  | 'E_SERVICE_FOREIGN'
  | 'E_SERVICE_FAILED'
  | 'E_SERVICE_MANAGER'

/** The system's service manager cannot be asked, or refuses. */
export class ServiceError extends CodedError<ServiceErrorCode> {
  override readonly name = 'ServiceError'
}
