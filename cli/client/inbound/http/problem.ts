import { type OutgoingHttpHeaders, type ServerResponse, STATUS_CODES } from 'node:http'
import { type ReplyCode, reply } from '../../../../tunnel/session/frames/reply.ts'
import { OutboundError, type OutboundErrorKind } from '../../outbound/outbound.ts'
import { TargetError } from '../../outbound/target-errors.ts'

/** A request cannot be served: the status, and a short reason for the person who sees it. */
export class HttpProblem extends Error {
  override name = 'HttpProblem'
  constructor(
    readonly status: number,
    reason: string,
    readonly headers: OutgoingHttpHeaders = {},
  ) {
    super(reason)
  }
}

/** What an HTTP client is told about an error. */
export function problemOf(error: unknown, host = 'the target'): HttpProblem {
  if (error instanceof HttpProblem) return error
  if (!(error instanceof OutboundError)) return failed(502, 'http_protocol_error', `${host} broke off`)
  const [status, type] = error.kind === 'refused' ? (refusals[error.reply] ?? refusal) : ours[error.kind]
  const reason = error instanceof TargetError ? `${host} ${error.says}` : error.message
  return failed(status, type, error.hint ? `${reason}. ${error.hint}` : reason)
}

/** Answers with the problem, where nothing has been answered yet; else the connection breaks off, so that the client can tell. */
export function sendProblem(response: ServerResponse, problem: HttpProblem): void {
  if (response.headersSent) return void response.destroy()
  const { body, headers } = content(problem)
  // A body that was not read to its end cannot be skipped, and what follows a message that was not understood is not one.
  const last = !response.req.complete || notUnderstood.has(problem.status)
  const closing = last ? { ...headers, connection: 'close' } : headers
  response.writeHead(problem.status, STATUS_CODES[problem.status], closing)
  response.end(body)
}

/** The same as bytes, for a connection that node:http has let go of, and that ends with it. */
export function problemBytes(problem: HttpProblem): Uint8Array {
  const { body, headers } = content(problem)
  const fields = Object.entries({ ...headers, connection: 'close' }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  )
  const status = `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\n`
  return Buffer.concat([Buffer.from(`${status}${fields.join('')}\r\n`), body])
}

// --- internal ---

const notUnderstood = new Set([400, 501, 505])

function content({ status, message, headers }: HttpProblem) {
  const body = Buffer.from(`${status} ${STATUS_CODES[status]}: ${message}\n`)
  return {
    body,
    headers: {
      ...headers,
      'content-type': 'text/plain; charset=utf-8',
      'content-length': body.length,
    },
  }
}

/** With the error's type in the words of RFC 9209 (Proxy-Status), section 2.3. */
const failed = (status: number, type: string, reason: string) =>
  new HttpProblem(status, reason, { 'proxy-status': `lambda-nat-proxy; error=${type}` })

type Refusal = [status: number, type: string]
const ours: Record<Exclude<OutboundErrorKind, 'refused'>, Refusal> = {
  'no-exit': [503, 'destination_unavailable'],
  'exit-lost': [502, 'proxy_internal_error'],
}
const refusal: Refusal = [502, 'destination_unavailable']
const refusals: Partial<Record<ReplyCode, Refusal>> = {
  [reply.notAllowed]: [403, 'destination_ip_prohibited'],
  [reply.networkUnreachable]: [502, 'destination_ip_unroutable'],
  [reply.hostUnreachable]: [502, 'dns_error'],
  [reply.refused]: [502, 'connection_refused'],
  [reply.ttlExpired]: [504, 'connection_timeout'],
}
