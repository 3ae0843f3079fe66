import { isIPv4, isIPv6 } from 'node:net'
import { ipv6Bytes } from '../../../tunnel/net/ipv6.ts'
import type { Target } from '../../../tunnel/session/frames/address.ts'
import { readList } from '../../input/list.ts'
import { UsageError } from '../../input/usage-error.ts'
import { type OutboundName, outboundNames } from '../stats/events.ts'

/** What a rule says of a host. A network covers addresses that a client names, not what names resolve to. */
export type HostPattern =
  | { kind: 'any' }
  /** `example.com` and what lies under it; without `itself`, from `*.example.com`, only what lies under it. */
  | { kind: 'name'; suffix: string; itself: boolean }
  /** 4 or 16 bytes, of which the first `prefix` bits count. */
  | { kind: 'network'; address: Uint8Array; prefix: number }

export interface Rule {
  outbound: OutboundName
  host: HostPattern
  /** First and last port. */
  ports: readonly [number, number]
}

/** The outbound of what no rule covers. */
const defaultOutbound: OutboundName = 'tunnel'

/**
 * Reads rules, one a text: an outbound and what it is for, `block *:25` or `direct *.example.com,10.0.0.0/8`.
 * Throws a UsageError that names the rule and what is wrong with it.
 */
export function parseRules(texts: readonly string[]): Rule[] {
  return texts.flatMap(text => {
    const [outbound, patterns, ...more] = text.trim().split(/\s+/)
    const name = outboundNames.find(each => each === outbound)
    if (!name)
      throw wrong(text, `it must begin with one of ${outboundNames.join(', ')}, as in "direct *.example.com"`)
    if (!patterns) throw wrong(text, `missing pattern after "${name}", as in "${name} *.example.com"`)
    if (more.length > 0)
      throw wrong(text, `put one list after "${name}", separated by commas and without spaces`)
    return patterns.split(',').map(pattern => parsePattern(name, pattern, text))
  })
}

/** Reads `*.example.com,10.0.0.0/8`: rules for what goes direct. Throws a UsageError. */
export const parseBypass = (text: string): Rule[] =>
  readList(text).map(pattern => parsePattern('direct', pattern, pattern))

/** The outbound to a target: that of the first rule that covers it, else the tunnel. */
export const outboundFor = (rules: readonly Rule[], target: Target): OutboundName =>
  rules.length === 0 ? defaultOutbound : coveringOutbound(rules, target)

// --- internal ---

function coveringOutbound(rules: readonly Rule[], { host, port }: Target): OutboundName {
  const known = readHost(host)
  const rule = rules.find(
    ({ host, ports: [first, last] }) => port >= first && port <= last && covers(host, known),
  )
  return rule?.outbound ?? defaultOutbound
}

/** A name in lower case, or the bytes of an address. */
type Known = string | Uint8Array

const wrong = (rule: string, why: string) => new UsageError(`rule "${rule}": ${why}`)

function parsePattern(outbound: OutboundName, pattern: string, rule: string): Rule {
  // [2001:db8::/32]:443, 2001:db8::/32, or what has one colon at most.
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(pattern)
  const isBareIpv6 = !bracketed && pattern.split(':').length > 2
  const [host = '', ports] = bracketed
    ? [bracketed[1], bracketed[2]]
    : isBareIpv6
      ? [pattern]
      : pattern.split(':')
  return { outbound, host: parseHost(host, rule), ports: parsePorts(ports, rule) }
}

function parseHost(text: string, rule: string): HostPattern {
  if (text === '*') return { kind: 'any' }
  const [address = '', prefix] = text.split('/')
  if (isIPv4(address) || isIPv6(address)) {
    const bytes = addressBytes(address)
    const most = bytes.length * 8
    if (prefix === undefined) return { kind: 'network', address: bytes, prefix: most }
    if (/^\d{1,3}$/.test(prefix) && Number(prefix) <= most)
      return { kind: 'network', address: bytes, prefix: Number(prefix) }
    throw wrong(rule, `/${prefix} is not a prefix length of ${address}: give a number from 0 to ${most}`)
  }
  if (prefix !== undefined)
    throw wrong(rule, `${address} is not an IP address, so it cannot have a prefix length`)
  const [, star = '', name = ''] = /^(\*?\.)?(.*)$/s.exec(text) ?? []
  const suffix = readHost(name)
  if (typeof suffix !== 'string' || !/^[^*/?#@\s:]+$/.test(name))
    throw wrong(
      rule,
      `"${text}" must be *, a domain (example.com, *.example.com), an address or a network (10.0.0.0/8)`,
    )
  return { kind: 'name', suffix, itself: star === '' }
}

function parsePorts(text: string | undefined, rule: string): [number, number] {
  if (text === undefined) return [0, 65_535]
  const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? []
  const range: [number, number] = [Number(first), Number(last)]
  if (range[0] <= range[1] && range[1] <= 65_535) return range
  throw wrong(rule, `"${text}" is not a port: give a number, or a range such as 8000-8999`)
}

function covers(pattern: HostPattern, host: Known): boolean {
  switch (pattern.kind) {
    case 'any':
      return true
    case 'name':
      return (
        typeof host === 'string' &&
        (host.endsWith(`.${pattern.suffix}`) || (pattern.itself && host === pattern.suffix))
      )
    case 'network':
      return typeof host !== 'string' && inNetwork(host, pattern.address, pattern.prefix)
  }
}

function inNetwork(host: Uint8Array, network: Uint8Array, prefix: number): boolean {
  if (host.length !== network.length) return false
  const whole = prefix >> 3
  for (let i = 0; i < whole; i++) if (host[i] !== network[i]) return false
  const rest = prefix & 7
  return rest === 0 || (host[whole]! ^ network[whole]!) >> (8 - rest) === 0
}

/** Reads a host as a browser does: 0x0a000001, 10.1 and ::ffff:10.0.0.1 are all 10.0.0.1, and names have one spelling. */
function readHost(host: string): Known {
  if (isIPv6(host)) return addressBytes(host)
  let name = host
  try {
    name = new URL(`http://${host}`).hostname
  } catch {
    // No host that a browser would take, and the exit will refuse it: it matches as it is.
  }
  return isIPv4(name) ? addressBytes(name) : name.toLowerCase().replace(/\.$/, '')
}

const mapped = Buffer.from('00000000000000000000ffff', 'hex')

function addressBytes(address: string): Uint8Array {
  if (isIPv4(address)) return Uint8Array.from(address.split('.'), Number)
  const bytes = ipv6Bytes(address)
  return mapped.equals(bytes.subarray(0, 12)) ? bytes.subarray(12) : bytes
}
