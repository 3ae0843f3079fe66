import { STATUS_CODES } from 'node:http'
import { CodedError } from '../../../../tunnel/net/coded-error.ts'
import { printable } from '../../../../tunnel/net/printable.ts'
import { type ReplyCode, reply } from '../../../../tunnel/session/frames/reply.ts'
import { OutboundError, type OutboundErrorKind } from '../../outbound/outbound.ts'
import { TargetError } from '../../outbound/target-errors.ts'
import { statusOf } from '../../stats/refusals.ts'
import { type Field, lines } from './fields.ts'
import { MessageError, type MessageErrorCode } from './message-error.ts'
import { BrokenError } from './pull-conn.ts'

/** A request cannot be served: the status, and a short reason for the person who sees it. */
export class HttpProblem extends CodedError {
  override name = 'HttpProblem'
  constructor(
    readonly status: number,
    reason: string,
    readonly fields: readonly Field[] = [],
  ) {
    super(`E_HTTP_${status}`, reason)
  }
}

/** What a client is told of its own request that cannot be read. */
export const requestProblem = (error: MessageError): HttpProblem =>
  new HttpProblem(statusOfMessage[error.code], error.message)

/** What a client is told of an error on the way to `host` or in what came from there. */
export function problemOf(error: unknown, host: string): HttpProblem {
  if (error instanceof HttpProblem) return error
  if (error instanceof MessageError) {
    const truncated = error.code === 'E_HTTP_TRUNCATED'
    return truncated
      ? failed(
          502,
          'http_response_incomplete',
          `${host} ended the connection before its response was complete`,
        )
      : failed(502, 'http_protocol_error', `the response of ${host} cannot be passed on: ${error.message}`)
  }
  if (error instanceof BrokenError)
    return failed(
      502,
      'connection_terminated',
      `${host} broke the connection before its response was complete`,
    )
  if (!(error instanceof OutboundError))
    return failed(502, 'proxy_internal_error', `${host} could not be asked`)
  const [status, type] =
    error.kind === 'refused'
      ? [statusOf(error.reply), refusals[error.reply] ?? 'destination_unavailable']
      : ours[error.kind]
  const reason = error instanceof TargetError ? `${host} ${error.says}` : error.message
  return failed(status, type, error.hint ? `${reason}. ${error.hint}` : reason)
}

/** With the error's type in the words of RFC 9209 (Proxy-Status), section 2.3. */
export const failed = (status: number, type: string, reason: string): HttpProblem =>
  new HttpProblem(status, reason, [['proxy-status', `lambda-nat-proxy; error=${type}`]])

/** The response to a request with this method. `last`: the connection ends behind it. */
export function problemBytes(problem: HttpProblem, { method = 'GET', last = true } = {}): Uint8Array {
  const { status, message } = problem
  const body = Buffer.from(`${status} ${STATUS_CODES[status]}: ${printable(message)}\n`)
  const fields: Field[] = [
    ...problem.fields,
    ['content-type', 'text/plain; charset=utf-8'],
    ['content-length', String(body.length)],
    ...(last ? [['connection', 'close'] as const] : []),
  ]
  const head = Buffer.from(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines(fields)}\r\n`, 'latin1')
  return method === 'HEAD' ? head : Buffer.concat([head, body])
}

// --- internal ---

const statusOfMessage: Record<MessageErrorCode, number> = {
  E_HTTP_MALFORMED: 400,
  E_HTTP_TRUNCATED: 400,
  E_HTTP_HEAD_TOO_LARGE: 431,
  E_HTTP_EXTENSIONS_TOO_LARGE: 413,
  E_HTTP_VERSION: 505,
  E_HTTP_CODING: 501,
}

const ours: Record<Exclude<OutboundErrorKind, 'refused'>, [status: number, type: string]> = {
  'no-exit': [503, 'destination_unavailable'],
  'exit-lost': [502, 'proxy_internal_error'],
  limited: [429, 'connection_limit_reached'],
  unavailable: [503, 'proxy_internal_error'],
}
const refusals: Partial<Record<ReplyCode, string>> = {
  [reply.notAllowed]: 'destination_ip_prohibited',
  [reply.networkUnreachable]: 'destination_ip_unroutable',
  [reply.hostUnreachable]: 'dns_error',
  [reply.refused]: 'connection_refused',
  [reply.ttlExpired]: 'connection_timeout',
}
