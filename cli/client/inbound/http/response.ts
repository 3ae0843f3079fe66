import { type Framing, framingOf } from './body.ts'
import { type Field, membersOf } from './fields.ts'
import type { Head } from './head.ts'
import { malformed } from './message-error.ts'

export interface Response {
  status: number
  reason: string
  fields: Field[]
  /** Of the content that follows this head when it answers the request. */
  framing: Framing
  /** The server uses the connection again. */
  keepsAlive: boolean
  /** It names the WebSocket protocol as the one it switches to. */
  switchesToWebSocket: boolean
}

/** Reads the head of what answers a request with this method (RFC 9112, section 6.3). Throws a MessageError. */
export function parseResponse({ start, fields }: Head, method: string): Response {
  const [, minor, status, reason = ''] = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: (.*))?$/.exec(start) ?? []
  if (status === undefined) throw malformed('its first line is not HTTP/1.1 and a status')
  const code = Number(status)
  const bodiless = method === 'HEAD' || code < 200 || code === 204 || code === 304
  // Read even where it does not count: a message that contradicts itself is not passed on.
  const framing = framingOf(fields, true) ?? { kind: 'close' }
  const connection = membersOf(fields, 'connection')
  return {
    status: code,
    reason,
    fields,
    framing: bodiless ? { kind: 'none' } : framing,
    keepsAlive: minor === '1' ? !connection.includes('close') : connection.includes('keep-alive'),
    switchesToWebSocket: connection.includes('upgrade') && membersOf(fields, 'upgrade').includes('websocket'),
  }
}
