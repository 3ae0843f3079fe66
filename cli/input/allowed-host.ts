import { isIP } from 'node:net'
import { isLoopback } from './loopback.ts'

/**
 * Whether a Host header is one that a person at this machine would use. A foreign name that resolves to this
 * machine (DNS rebinding) is not: only localhost, the address that is listened on and, where
 * that is not a loopback one, any address.
 */
export function hostAllowed(header: string | null, listening: string): boolean {
  const host = hostOf(header)
  if (host === undefined) return false
  if (host === 'localhost' || host === listening.toLowerCase() || isLoopback(host)) return true
  return !isLoopback(listening) && isIP(host) !== 0
}

// --- internal ---

/** The host without its port and brackets, in lower case (RFC 9110, section 7.2). */
function hostOf(header: string | null): string | undefined {
  const [, bracketed, plain] = /^(?:\[([0-9a-f:.]+)\]|([^:[\]@/\s]+))(?::\d{1,5})?$/i.exec(header ?? '') ?? []
  return (bracketed ?? plain)?.toLowerCase()
}
