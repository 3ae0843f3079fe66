import { hostAllowed } from '../../../input/allowed-host.ts'
import { isLoopback } from '../../../input/loopback.ts'
import type { HostPattern, Rule } from '../../outbound/rules.ts'
import { lines } from './fields.ts'
import { HttpProblem } from './problem.ts'

export interface PacRequest {
  method: string
  /** The Host field: this proxy as the browser knows it. */
  host: string | undefined
  /** Of the client, and ours that it came to. */
  addresses: { peer: string; local: string }
  /** It came with a login that is right. Browsers send none for a PAC file. */
  hasLogin: boolean
  /** The connection ends behind the response. */
  last: boolean
}

/**
 * The response to `GET /proxy.pac`. A web page whose name was made to resolve to this machine gets nothing (DNS
 * rebinding), and beyond loopback nobody learns the rules without a login. Throws an HttpProblem.
 */
export function pacResponse(request: PacRequest, rules: readonly Rule[]): Uint8Array {
  const { method, host = '', addresses, hasLogin, last } = request
  if (method !== 'GET' && method !== 'HEAD')
    throw new HttpProblem(405, 'a PAC file can only be read', [['allow', 'GET, HEAD']])
  if (!hostAllowed(host, addresses.local))
    throw new HttpProblem(403, 'the PAC file is served under localhost and addresses of this proxy alone')
  const isOurs = hasLogin || isLoopback(addresses.peer)
  const body = Buffer.from(pacFile(isOurs ? rules : [], host))
  const head = `HTTP/1.1 200 OK\r\n${lines([
    ['content-type', pacType],
    ['cache-control', 'no-cache'],
    ['cross-origin-resource-policy', 'same-origin'],
    ['x-content-type-options', 'nosniff'],
    ['content-length', String(body.length)],
    ...(last ? [['connection', 'close'] as const] : []),
  ])}\r\n`
  return method === 'HEAD' ? Buffer.from(head) : Buffer.concat([Buffer.from(head), body])
}

/** What a PAC file is served as. */
const pacType = 'application/x-ns-proxy-autoconfig'

/**
 * A proxy auto-configuration file that says the same as the rules, as far as a browser has a say: what
 * goes direct, goes direct; all else comes to the proxy, which blocks what is to be blocked. IPv6
 * addresses come to the proxy too, which knows them in every spelling. No name is resolved by it.
 */
export function pacFile(rules: readonly Rule[], proxy: string): string {
  const table = rules.map(({ outbound, host, ports }) => [
    outbound === 'direct' ? 1 : 0,
    patternOf(host),
    ...ports,
  ])
  return `var proxy = ${JSON.stringify(`PROXY ${proxy}`)};
// Goes direct (1) or not (0), "*", ".suffix", "=name and .suffix" or [IPv4 address, prefix length], ports.
var rules = ${JSON.stringify(table)};

function covers(pattern, host, address) {
  if (pattern === "*") return true;
  if (typeof pattern !== "string")
    return address !== null && (pattern[1] === 0 || (address ^ pattern[0]) >>> (32 - pattern[1]) === 0);
  if (address !== null) return false;
  var suffix = "." + pattern.slice(1);
  if (pattern.charAt(0) === "=" && host === suffix.slice(1)) return true;
  return host.length > suffix.length && host.slice(-suffix.length) === suffix;
}

function FindProxyForURL(url, host) {
  if (host.indexOf(":") >= 0) return proxy;
  host = host.toLowerCase().replace(/\\.$/, "");
  var bytes = /^(\\d+)\\.(\\d+)\\.(\\d+)\\.(\\d+)$/.exec(host);
  var address = bytes && ((bytes[1] << 24) | (bytes[2] << 16) | (bytes[3] << 8) | bytes[4]);
  var port = /^[a-z]+:\\/\\/(?:[^\\/?#]*@)?[^\\/?#:]*:(\\d+)/i.exec(url);
  port = port ? +port[1] : /^(https|wss):/i.test(url) ? 443 : /^ftp:/i.test(url) ? 21 : 80;
  for (var i = 0; i < rules.length; i++) {
    var rule = rules[i];
    if (port >= rule[2] && port <= rule[3] && covers(rule[1], host, address))
      return rule[0] ? "DIRECT" : proxy;
  }
  return proxy;
}
`
}

// --- internal ---

function patternOf(host: HostPattern): string | [address: number, prefix: number] {
  if (host.kind === 'any') return '*'
  if (host.kind === 'name') return (host.itself ? '=' : '.') + host.suffix
  // Of a network of IPv6's nothing gets as far as the table.
  if (host.address.length !== 4) return '.invalid'
  return [Buffer.from(host.address).readInt32BE(), host.prefix]
}
