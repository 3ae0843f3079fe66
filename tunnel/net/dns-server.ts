import { isIP } from 'node:net'

/** Where the exit looks names up: its own resolver, a DNS server's address, or a DNS-over-HTTPS URL (RFC 8484). */
export type DnsServer = 'system' | { address: string } | { url: string }

/** True for what `parseDnsServer` reads. */
export const isDnsServer = (text: string): boolean => isIP(text) !== 0 || isHttpsUrl(text)

/** Reads what a client or a deployment says: nothing for the system's. Throws a RangeError for what is none of them. */
export function parseDnsServer(text: string | undefined): DnsServer {
  if (!text) return 'system'
  if (isIP(text)) return { address: text }
  if (isHttpsUrl(text)) return { url: text }
  throw new RangeError(`'${text}' is not a DNS server: give an IP address or an https URL`)
}

// --- internal ---

const isHttpsUrl = (text: string) => URL.canParse(text) && new URL(text).protocol === 'https:'
