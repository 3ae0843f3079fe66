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
          code: outcome === 'name-not-found' ? 'E_STUN_NAME_NOT_FOUND' : 'E_STUN_SILENT',
          message: unheard[outcome],
        }
      const { mapped, rttMs } = view
      return {
        status: 'ok',
        message: `answers in ${rttMs.toFixed(0)} ms, and sees ${formatEndpoint(mapped)}`,
        facts: { mapped, rttMs },
      }
    },
  }))

/** What UDP and the NAT allow. */
export const networkChecks: Check<Context>[] = [
  {
    name: 'udp',
    after: ['turn'],
    limitMs,
    async run({ netcheck, turn }) {
      const finding = judgeUdp(await netcheck())
      const relay = await turn().catch(() => undefined)
      if (finding.status !== 'fail' || !relay) return finding
      const message = 'probably blocked: no STUN server answers, and packets go by the TURN server'
      return { status: 'warn', code: 'E_UDP_RELAYED', message }
    },
  },
  check('nat mapping', ({ mapping, testedWith, servers, isOwn }) => {
    const facts = { mapping, testedWith: testedWith ?? null }
    if (isOwn && mapping === 'unknown') return { status: 'skip', message: 'there is no NAT', facts }
    if (mapping === 'unknown')
      return {
        status: 'warn',
        code: 'E_NAT_UNKNOWN',
        message: 'unknown: it takes two STUN servers that answer',
        facts,
      }
    const by = testedWith ? `tested with ${testedWith} (RFC 5780)` : `as ${heard(servers)} servers see it`
    return { status: 'ok', message: `${mapping}, ${by}`, facts }
  }),
  check('nat filtering', ({ filtering, testedWith }) =>
    filtering === 'unknown'
      ? {
          status: 'skip',
          message: 'unknown: none of the servers can test it (RFC 5780)',
          facts: { filtering },
        }
      : { status: 'ok', message: `${filtering}, tested with ${testedWith} (RFC 5780)`, facts: { filtering } },
  ),
  check('hairpinning', ({ hairpinning, isOwn }) => {
    const facts = { hairpinning: hairpinning ?? null }
    if (isOwn) return { status: 'skip', message: 'there is no NAT', facts }
    if (hairpinning === undefined) return { status: 'skip', message: 'no server answered the test', facts }
    const message = hairpinning
      ? 'yes: two machines behind this NAT reach each other by its outside address'
      : 'no, which matters only to an exit behind this same NAT'
    return { status: 'ok', message, facts }
  }),
  check('nat', ({ kind, mapped }) => ({
    status: 'ok',
    message: natNames[kind],
    facts: { kind, mapped },
  })),
]

// --- internal ---

const unheard: Record<ServerReport['outcome'], string> = {
  answered: 'answers',
  silent: 'does not answer',
  refused: 'refuses to answer',
  'name-not-found': 'has a name that is not found',
  'not-asked': 'was not asked',
}

function judgeUdp({ servers, mapped }: NetcheckReport): Finding {
  if (mapped)
    return { status: 'ok', message: `passes: ${heard(servers)} of ${servers.length} STUN servers answer` }
  if (servers.every(({ outcome }) => outcome === 'name-not-found'))
    return {
      status: 'fail',
      code: 'E_NO_NETWORK',
      message: 'unknown: no STUN server’s name is found, so there is no network, or no DNS',
    }
  const tried = servers.map(({ server, outcome }) => `${server} ${unheard[outcome]}`).join(', ')
  return {
    status: 'fail',
    code: 'E_UDP_BLOCKED',
    message: `probably blocked: no STUN server answers (${tried})`,
  }
}

/** What servers tell of the NAT; nothing, where none of them answers. */
function check(name: string, judge: (report: NetcheckReport) => Finding): Check<Context> {
  return {
    name,
    after: ['udp'],
    limitMs,
    async run({ netcheck }) {
      const report = await netcheck()
      return report.mapped ? judge(report) : { status: 'skip', message: 'needs udp' }
    },
  }
}

const heard = (servers: ServerReport[]) => servers.filter(({ view }) => view).length
