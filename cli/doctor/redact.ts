import { createHash } from 'node:crypto'
import { isIP } from 'node:net'

/**
 * Removes from a value, at any depth, what identifies its owner: the last two numbers of an IPv4 address, all of an
 * IPv6 address but its first two groups, account ids, ARNs, access keys, and these names, each replaced by a hash
 * of it, the same everywhere.
 */
export function redact(value: unknown, names: readonly string[]): unknown {
  if (typeof value === 'string') return redactText(value, names)
  if (Array.isArray(value)) return value.map(each => redact(each, names))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [redactText(key, names), redact(each, names)]),
  )
}

// --- internal ---

const ipv4 = /\b(\d{1,3}\.\d{1,3})\.\d{1,3}\.\d{1,3}\b/g
const ipv6 = /(?<![\w:])(?:[\da-f]{0,4}:){2,7}[\da-f]{0,4}(?![\w:])/gi
const arn = /\barn:[\w-]+:[^\s"',)]+/g
const accessKey = /\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b/g
const account = /\b\d{12}\b/g

function redactText(text: string, names: readonly string[]): string {
  let redacted = text
  // The longest first: one name may be a part of another.
  for (const name of names.filter(name => name !== '').toSorted((a, b) => b.length - a.length))
    redacted = redacted.replaceAll(name, hashOf(name))
  return redacted
    .replace(arn, found => `arn-${hashOf(found)}`)
    .replace(accessKey, '(access key)')
    .replace(account, '(account)')
    .replace(ipv4, '$1.x.x')
    .replace(ipv6, found => (isIP(found) === 6 ? `${found.split(':').slice(0, 2).join(':')}:x` : found))
}

const hashOf = (name: string) => `name-${createHash('sha256').update(name).digest('hex').slice(0, 8)}`
