/** What a port answers: SOCKS5, HTTP, or both, told apart by a connection's first byte. */
export const schemes = ['mixed', 'socks5', 'http'] as const
export type Scheme = (typeof schemes)[number]
