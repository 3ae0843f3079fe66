import type { Target } from '../../../../tunnel/session/frames/address.ts'
import { type Framing, framingOf } from './body.ts'
import { type Field, membersOf, valuesOf } from './fields.ts'
import { type Head, isToken } from './head.ts'
import { MessageError, malformed } from './message-error.ts'
import { HttpProblem } from './problem.ts'

/** A request that can be read in one way only. Text is Latin-1, a byte a character. */
export interface Request {
  method: string
  /** The request-target, byte for byte. */
  target: string
  version: '1.0' | '1.1'
  fields: Field[]
  framing: Framing
  /** It asks for a WebSocket. Other upgrades (h2c) are not passed on. */
  wantsWebSocket: boolean
  /** The client uses the connection again. */
  keepsAlive: boolean
}

/** Where a plain request goes, and as what. */
export interface Destination extends Target {
  /** The Host field to send: the target's own authority, as it was written, without userinfo. */
  authority: string
  /** The request-target in origin form, byte for byte. */
  path: string
  /** What the userinfo of the URL makes of itself: the value of an Authorization field (RFC 7617). */
  authorization: string | undefined
}

/** Reads a request's head strictly (RFC 9112, sections 3 and 6). Throws a MessageError. */
export function parseRequest({ start, fields }: Head): Request {
  const [method = '', target = '', name, ...more] = start.split(' ')
  const [, major, minor] = /^HTTP\/(\d)\.(\d)$/.exec(name ?? '') ?? []
  // HTTP/0.9 has two words; of any other version the line is not ours to read.
  if (isToken(method) && more.length === 0 && (name === undefined ? target !== '' : major !== undefined)) {
    if (major !== '1' || (minor !== '0' && minor !== '1'))
      throw new MessageError('E_HTTP_VERSION', `${name ?? 'HTTP/0.9'} is not spoken here`)
  } else throw malformed('the request line is not METHOD TARGET HTTP/1.1')
  const version = minor === '0' ? '1.0' : '1.1'
  if (!/^[\x21-\x7e\x80-\xff]+$/.test(target))
    throw malformed('the request-target has a blank or control character')
  const hosts = valuesOf(fields, 'host').length
  if (hosts > 1 || (hosts === 0 && version === '1.1')) throw malformed('the Host field must be there once')
  const framing = framingOf(fields) ?? { kind: 'none' }
  if (framing.kind === 'chunked' && version === '1.0') throw malformed('HTTP/1.0 has no Transfer-Encoding')
  const connection = membersOf(fields, 'connection')
  return {
    method,
    target,
    version,
    fields,
    framing,
    wantsWebSocket:
      version === '1.1' &&
      connection.includes('upgrade') &&
      membersOf(fields, 'upgrade').includes('websocket'),
    keepsAlive: version === '1.1' && !connection.includes('close'),
  }
}

/** Whether content follows this request's head. */
export const hasBody = ({ framing }: Request): boolean =>
  framing.kind === 'chunked' || (framing.kind === 'length' && framing.length > 0)

/** Reads `host:port` (RFC 9112, section 3.2.3). Throws an HttpProblem. */
export function parseAuthority(text: string, defaultPort?: number): Target {
  const [, ipv6, name = '', port] =
    /^(?:\[([0-9a-f:.]+)\]|([^\s:/?#@[\]]+))(?::(\d{1,5}))?$/i.exec(text) ?? []
  // A name in raw UTF-8 is one all the same: the exit says whether it exists.
  const host = ipv6 ?? Buffer.from(name, 'latin1').toString()
  const number = port === undefined ? defaultPort : Number(port)
  if (host === '' || number === undefined || number < 1 || number > 65_535)
    throw new HttpProblem(400, `"${text.slice(0, 100)}" is not host:port`)
  return { host, port: number }
}

/** Reads a request-target in absolute form (RFC 9112, section 3.2.2). Throws an HttpProblem. */
export function parseAbsolute({ target, method }: Pick<Request, 'target' | 'method'>): Destination {
  const [, scheme = '', whole = '', path = ''] =
    /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)([^#]*)(?:#.*)?$/i.exec(target) ?? []
  if (scheme === '')
    throw new HttpProblem(400, 'this is a proxy: the request must name a whole URL, or CONNECT')
  if (scheme.toLowerCase() !== 'http')
    throw new HttpProblem(400, `a ${scheme.toLowerCase()} URL needs CONNECT, or is not for this proxy`)
  const at = whole.lastIndexOf('@')
  const authority = whole.slice(at + 1)
  // An empty path with OPTIONS asks about the server as a whole (RFC 9112, section 3.2.4).
  const server = path === '' && method === 'OPTIONS' ? '*' : undefined
  return {
    ...parseAuthority(authority, 80),
    authority,
    path: server ?? (path.startsWith('/') ? path : `/${path}`),
    authorization:
      at < 0 ? undefined : `Basic ${Buffer.from(decoded(whole.slice(0, at))).toString('base64')}`,
  }
}

// --- internal ---

/** Percent-decoded as far as it is encoded well. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
