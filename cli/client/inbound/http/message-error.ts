import { CodedError } from '../../../../tunnel/net/coded-error.ts'

export type MessageErrorCode =
  /** It is not what RFC 9112 calls a message, or could be read in two ways. */
  | 'E_HTTP_MALFORMED'
  /** The start line and fields have too many bytes. */
  | 'E_HTTP_HEAD_TOO_LARGE'
  | 'E_HTTP_EXTENSIONS_TOO_LARGE'
  | 'E_HTTP_VERSION'
  /** A transfer coding other than chunked, which would have to be undone. */
  | 'E_HTTP_CODING'
  /** The connection ended within the message. */
  | 'E_HTTP_TRUNCATED'

/** An HTTP message that cannot be passed on; the message says what is wrong with it. */
export class MessageError extends CodedError<MessageErrorCode> {
  override name = 'MessageError'
}

export const malformed = (what: string): MessageError => new MessageError('E_HTTP_MALFORMED', what)
