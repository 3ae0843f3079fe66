/** What a port answers: SOCKS5, HTTP, or both, told apart by a connection's first byte. */
export const schemes = ['mixed', 'socks5', 'http'] as const
export type Scheme = (typeof schemes)[number]

/** What they are called where a person reads it. */
export const schemeNames: Record<Scheme, string> = {
  mixed: 'SOCKS5 and HTTP',
  socks5: 'SOCKS5',
  http: 'HTTP',
}
