import { CodedError, type CodedErrorOptions } from '../../tunnel/net/coded-error.ts'

export type DeployErrorCode =
  /** Nothing of the stack is there. */
  | 'E_NOT_DEPLOYED'
  /** A part of the stack is not there, or not as it was deployed. */
  | 'E_STACK_INCOMPLETE'
  /** The stack is deployed, but its state is not on this machine. */
  | 'E_STATE_ELSEWHERE'
  /** Another process works on the stack. */
  | 'E_STATE_LOCKED'
  | 'E_STATE_UNWRITABLE'
  | 'E_DISK_FULL'
  /** An executable that has no function for the processor asked for. */
  | 'E_FUNCTION_NOT_CARRIED'
  | 'E_TERRAFORM_NOT_FOUND'
  | 'E_TERRAFORM_TOO_OLD'
  /** The program does not answer as Terraform does. */
  | 'E_TERRAFORM_UNUSABLE'

/** Deploying, or finding what is deployed, failed. */
export class DeployError extends CodedError<DeployErrorCode> {
  override readonly name = 'DeployError'

  constructor(code: DeployErrorCode, message: string, options?: CodedErrorOptions) {
    super(code, message, options)
  }
}
