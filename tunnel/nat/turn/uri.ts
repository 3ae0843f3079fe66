/** How a TURN server is spoken to. */
export type TurnTransport = 'udp' | 'tcp' | 'tls'

/** A TURN server as a person names it. */
export interface TurnServerName {
  host: string
  port: number
  transport: TurnTransport
}

/** RFC 8656, section 18.5 (turn: 3478, turns: 5349). */
const defaultPorts: Record<TurnTransport, number> = { udp: 3478, tcp: 3478, tls: 5349 }

/** More servers than this are no help, and each is asked. */
const maxServers = 4

/**
 * Reads a TURN URI (RFC 7065): `turn:host[:port][?transport=udp|tcp]` or `turns:host[:port][?transport=tcp]`. Throws a
 * RangeError that says what is wrong with the text, and repeats nothing of it behind a password.
 */
export function parseTurnServer(text: string): TurnServerName {
  const match = /^(turns?):([a-z0-9.-]+)(?::(\d{1,5}))?(?:\?transport=([a-z]+))?$/i.exec(text.trim())
  if (!match) throw new RangeError(wrong(text))
  const [, scheme = '', host = '', port, asked] = match
  const isSecure = scheme.toLowerCase() === 'turns'
  const transport = asked?.toLowerCase() ?? (isSecure ? 'tcp' : 'udp')
  if (transport !== 'udp' && transport !== 'tcp')
    throw new RangeError(`'${text}' is not a TURN server: transport is udp or tcp`)
  if (isSecure && transport === 'udp')
    throw new RangeError(`'${text}' would be TURN over DTLS, which is not supported: give ?transport=tcp`)
  const kind = isSecure ? 'tls' : transport
  const number = port === undefined ? defaultPorts[kind] : Number(port)
  if (number < 1 || number > 65_535)
    throw new RangeError(`'${text}' is not a TURN server: port ${port} is not in 1 to 65535`)
  return { host, port: number, transport: kind }
}

/** Reads a comma-separated list, which may be empty; throws a RangeError when one of them is malformed. */
export function parseTurnServers(text: string): TurnServerName[] {
  const names = text.split(',').filter(part => part.trim() !== '')
  if (names.length > maxServers) throw new RangeError(`${maxServers} TURN servers are the most`)
  return names.map(parseTurnServer)
}

/** The URI of a server, for a person. */
export const formatTurnServer = ({ host, port, transport }: TurnServerName): string =>
  `${transport === 'tls' ? 'turns' : 'turn'}:${host}:${port}?transport=${transport === 'udp' ? 'udp' : 'tcp'}`

// --- internal ---

/** A URI has no place for a login (RFC 7065, section 3.1); one that was put there is not repeated. */
function wrong(text: string): string {
  if (text.includes('@'))
    return 'a TURN URI has no place for a login: give host and port there, and the login by itself'
  return `'${text}' is not a TURN server: give turn:host:port or turns:host:port?transport=tcp`
}
