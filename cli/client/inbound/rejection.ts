import type { ErrorData } from '../../../tunnel/net/coded-error.ts'

/** Why a client is rejected before it has asked for a target. */
export type RejectionCode =
  /** There are as many clients as there may be. */
  | 'E_CLIENTS_FULL'
  /** The port does not speak the client's protocol. */
  | 'E_CLIENT_PROTOCOL'
  /** What it says cannot be read. */
  | 'E_CLIENT_MALFORMED'
  | 'E_LOGIN_REQUIRED'
  | 'E_LOGIN_WRONG'
  | 'E_SOCKS_COMMAND'
  | 'E_SOCKS_ADDRESS_TYPE'

export interface Rejection extends ErrorData {
  code: RejectionCode
}
