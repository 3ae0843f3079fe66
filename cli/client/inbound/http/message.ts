import type { IncomingMessage } from 'node:http'
import type { Target } from '../../../../tunnel/session/frames/address.ts'
import { HttpProblem } from './problem.ts'

/** Where a plain request goes, and as what. */
export interface Destination extends Target {
  /** The Host field to send: the target's own authority, as it was written. */
  authority: string
  /** The request-target in origin form, byte for byte. */
  path: string
}

/** Reads `host:port` (RFC 9112, section 3.2.3). Throws an HttpProblem. */
export function parseAuthority(text: string, defaultPort?: number): Target {
  const [, ipv6, name = '', port] =
    /^(?:\[([0-9a-f:.]+)\]|([^\s:/?#@[\]]+))(?::(\d{1,5}))?$/i.exec(text) ?? []
  const host = ipv6 ?? name
  const number = port === undefined ? defaultPort : Number(port)
  if (host === '' || number === undefined || number < 1 || number > 65_535)
    throw new HttpProblem(400, `"${text.slice(0, 100)}" is not host:port`)
  return { host, port: number }
}

/** Reads a request-target in absolute form (RFC 9112, section 3.2.2). Throws an HttpProblem. */
export function parseAbsolute({ url = '', method }: IncomingMessage): Destination {
  const [, scheme = '', authority = '', path = ''] =
    /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)([^#]*)$/i.exec(url) ?? []
  if (scheme === '')
    throw new HttpProblem(400, 'this is a proxy: the request must name a whole URL, or CONNECT')
  if (scheme.toLowerCase() !== 'http')
    throw new HttpProblem(400, `a ${scheme.toLowerCase()} URL needs CONNECT, or is not for this proxy`)
  // An empty path with OPTIONS asks about the server as a whole (RFC 9112, section 3.2.4).
  const whole = path === '' && method === 'OPTIONS' ? '*' : undefined
  return {
    ...parseAuthority(authority, 80),
    authority,
    path: whole ?? (path.startsWith('/') ? path : `/${path}`),
  }
}

/**
 * Refuses what llhttp lets pass and a proxy must not: another version, Host missing or given twice (RFC
 * 9112, section 3.2), and codings that would have to be undone (sections 6.1 and 7). Throws an HttpProblem.
 */
export function checkRequest({ httpVersion, rawHeaders, headers }: IncomingMessage): void {
  if (httpVersion !== '1.1' && httpVersion !== '1.0')
    throw new HttpProblem(505, `HTTP/${httpVersion} is not spoken here`)
  const hosts = fields(rawHeaders).filter(([name]) => name.toLowerCase() === 'host').length
  if (hosts > 1 || (hosts === 0 && httpVersion === '1.1'))
    throw new HttpProblem(400, 'the Host field must be there once')
  const coding = headers['transfer-encoding']
  if (coding === undefined) return
  if (httpVersion === '1.0') throw new HttpProblem(400, 'HTTP/1.0 has no Transfer-Encoding')
  if (!isChunked(coding)) throw new HttpProblem(501, 'the only transfer coding known here is chunked')
}

export const isChunked = (coding: string): boolean => coding.trim().toLowerCase() === 'chunked'

/** Whether a body follows this request's head. */
export const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0

/**
 * The fields that are for the other end: without those for one hop, and those that Connection names (RFC
 * 9110, section 7.6.1). Spelling, order and repetition stay. No Via is added: it would tell every server
 * what a person who uses a proxy of their own has not asked to be told. Also left out is what `without` names.
 */
export function endToEnd(rawHeaders: readonly string[], ...without: string[]): string[] {
  const all = fields(rawHeaders)
  const named = new Set(
    all
      .filter(([name]) => name.toLowerCase() === 'connection')
      .flatMap(([, value]) => value.toLowerCase().split(','))
      .map(name => name.trim())
      .filter(name => !framing.has(name)),
  )
  return all.flatMap(([name, value]) => {
    const lower = name.toLowerCase()
    return oneHop.has(lower) || named.has(lower) || without.includes(lower) ? [] : [name, value]
  })
}

/** Raw header fields as pairs. */
export const fields = (rawHeaders: readonly string[]): [name: string, value: string][] =>
  Array.from({ length: rawHeaders.length >> 1 }, (_, i) => [rawHeaders[i * 2]!, rawHeaders[i * 2 + 1]!])

// --- internal ---

const oneHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
])

/** Where a message ends and where it goes is never for Connection to say. */
const framing = new Set(['content-length', 'host', 'trailer'])
