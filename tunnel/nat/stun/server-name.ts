/** A STUN server as a person names it. */
export interface StunServerName {
  host: string
  port: number
}

/** The port of STUN over UDP (RFC 8489, section 18.5). */
const defaultPort = 3478

/** Two operators, so that one outage does not stop a session. */
export const defaultStunServers = ['stun.l.google.com:19302', 'stun.cloudflare.com:3478']

/**
 * Reads `host`, `host:port` or `stun:host:port` (RFC 7064). Throws a RangeError that says what is wrong
 * with the text.
 */
export function parseStunServer(text: string): StunServerName {
  const [, host, port] = /^(?:stun:)?([a-z0-9.-]+)(?::(\d{1,5}))?$/i.exec(text.trim()) ?? []
  if (!host)
    throw new RangeError(
      `'${text}' is not a STUN server: give host or host:port, as in ${defaultStunServers[0]}`,
    )
  const number = port === undefined ? defaultPort : Number(port)
  if (number < 1 || number > 65535)
    throw new RangeError(`'${text}' is not a STUN server: port ${port} is not in 1 to 65535`)
  return { host, port: number }
}

/** Reads a comma-separated list; throws a RangeError when it is empty or one of them is malformed. */
export function parseStunServers(text: string): StunServerName[] {
  const names = text.split(',').filter(part => part.trim() !== '')
  if (names.length === 0) throw new RangeError('no STUN server is given: name at least one, as host:port')
  return names.map(parseStunServer)
}
