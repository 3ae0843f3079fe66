import type { ConnectionState } from './state.ts'

/**
 * The status that an HTTP client gets for a refusal, by SOCKS's code for it (RFC 1928, section 6): not allowed, and
 * timed out; 502 for all others.
 */
const statuses: Record<number, number> = { 2: 403, 6: 504 }
export const statusOf = (code: number): number => statuses[code] ?? 502

/** What the client was told of a refusal, in its own protocol; undefined where it was told nothing. */
export function toldOf({
  protocol,
  reply: code,
}: Pick<ConnectionState, 'protocol' | 'reply'>): string | undefined {
  if (protocol === undefined || code === undefined) return undefined
  return protocol === 'http' ? `HTTP ${statusOf(code)}` : `SOCKS5 reply ${code}`
}
