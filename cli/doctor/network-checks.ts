import type { NetcheckReport } from '../../tunnel/nat/netcheck.ts'
import type { ServerReport } from '../../tunnel/nat/stun/client.ts'
import type { StunServerName } from '../../tunnel/nat/stun/server-name.ts'
import { formatEndpoint } from '../../tunnel/net/endpoint.ts'
import type { Check, Finding } from './check.ts'
import type { Context } from './context.ts'
import { natNames } from './nat-kind.ts'

/** It asks names, servers, and then the one with two addresses. Milliseconds. */
const limitMs = 20_000

/** Whether each STUN server answers. */
export const stunChecks = (servers: readonly StunServerName[]): Check<Context>[] =>
  servers.map(({ host, port }, index) => ({
    name: `stun ${host}:${port}`,
    limitMs,
    async run({ netcheck }) {
      const { outcome, view } = (await netcheck()).servers[index]!
      if (!view)
        return {
          status: 'warn',
          detail: unheard[outcome],
          next: 'Name servers that answer, with --stun or as proxy.stun_server in the configuration',
        }
      const { mapped, rttMs } = view
      return {
        status: 'ok',
        detail: `answers in ${rttMs.toFixed(0)} ms, and sees ${formatEndpoint(mapped)}`,
        facts: { mapped, rttMs },
      }
    },
  }))

/** What UDP and the NAT allow. */
export const networkChecks: Check<Context>[] = [
  check('udp', [], ({ servers, mapped }) => {
    if (mapped)
      return { status: 'ok', detail: `passes, as ${heard(servers)} of ${servers.length} STUN servers show` }
    if (servers.every(({ outcome }) => outcome === 'name-not-found'))
      return {
        status: 'fail',
        detail: 'unknown: no STUN server’s name is found, so there is no network, or no DNS',
        next: 'Connect to a network and see that names resolve, then run this again',
      }
    const tried = servers.map(({ server, outcome }) => `${server}: ${outcome}`).join(', ')
    return {
      status: 'fail',
      detail: `blocked, it seems: no STUN server answers (${tried})`,
      next: 'Allow outgoing UDP in the firewall, or try another network, for example a phone’s hotspot; or name other servers with --stun',
    }
  }),
  check('nat mapping', ['udp'], ({ mapping, testedWith, servers, isOwn }) => {
    const facts = { mapping, testedWith: testedWith ?? null }
    if (isOwn && mapping === 'unknown') return { status: 'skip', detail: 'there is no NAT to map', facts }
    if (mapping === 'unknown')
      return {
        status: 'warn',
        detail: 'unknown: it takes two STUN servers that answer',
        next: 'Name another server with --stun',
        facts,
      }
    const by = testedWith ? `tested with ${testedWith} (RFC 5780)` : `as ${heard(servers)} servers see it`
    return { status: 'ok', detail: `${mapping}, ${by}`, facts }
  }),
  check('nat filtering', ['udp'], ({ filtering, testedWith }) =>
    filtering === 'unknown'
      ? {
          status: 'skip',
          detail: 'unknown: none of the servers can test it (RFC 5780)',
          facts: { filtering },
        }
      : { status: 'ok', detail: `${filtering}, tested with ${testedWith} (RFC 5780)`, facts: { filtering } },
  ),
  check('hairpinning', ['udp'], ({ hairpinning, isOwn }) => {
    const facts = { hairpinning: hairpinning ?? null }
    if (isOwn) return { status: 'skip', detail: 'there is no NAT to turn at', facts }
    if (hairpinning === undefined) return { status: 'skip', detail: 'no server answered the test', facts }
    const detail = hairpinning
      ? 'yes: two machines behind this NAT reach each other by its outside address'
      : 'no, which matters only to an exit behind this same NAT'
    return { status: 'ok', detail, facts }
  }),
  check('nat', ['udp'], ({ kind, mapped }) => {
    const { name, verdict } = natNames[kind]
    const facts = { kind, mapped }
    const detail = `${name}; ${verdict}`
    if (kind !== 'symmetric') return { status: 'ok', detail, facts }
    return {
      status: 'warn',
      detail,
      next: 'If it does not connect, look for "full cone NAT" among the router’s settings, or try another network, for example a phone’s hotspot',
      facts,
    }
  }),
]

// --- internal ---

const unheard: Record<ServerReport['outcome'], string> = {
  answered: 'answers',
  silent: 'does not answer',
  refused: 'refuses to answer',
  'name-not-found': 'its name is not found',
  'not-asked': 'was not asked',
}

function check(name: string, after: string[], judge: (report: NetcheckReport) => Finding): Check<Context> {
  return { name, after, limitMs, run: async ({ netcheck }) => judge(await netcheck()) }
}

const heard = (servers: ServerReport[]) => servers.filter(({ view }) => view).length
