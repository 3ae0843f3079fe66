import type { NetcheckReport } from '../../tunnel/nat/netcheck.ts'
import { protocolNames } from '../../tunnel/nat/port-mapping/router.ts'
import type { PortMappingReport } from '../../tunnel/nat/port-mapping/survey.ts'
import { formatEndpoint } from '../../tunnel/net/endpoint.ts'
import type { Check, Finding } from './check.ts'
import type { Context } from './context.ts'
import type { Ports } from './reach.ts'

/** Whether the router opens ports: then the kind of NAT no longer matters. */
export const portMappingCheck: Check<Context> = {
  name: 'port mapping',
  after: ['udp'],
  limitMs: 20_000,
  async run({ netcheck, portMapping }) {
    const network = await netcheck()
    if (!network.mapped) return { status: 'skip', message: 'needs udp' }
    if (network.isOwn) return { status: 'skip', message: 'there is no NAT' }
    return judgePortMapping(await portMapping(), network)
  },
}

/** What the router does when it is asked. */
export function portsOf(
  { granted, answers }: PortMappingReport,
  { mapped }: Pick<NetcheckReport, 'mapped'>,
): Ports {
  if (granted) return granted.external.address === mapped?.address ? 'opened' : 'opened elsewhere'
  return answers.length > 0 ? 'refused' : 'silent'
}

/** What a router's answer means for exits. */
export function judgePortMapping(
  report: PortMappingReport,
  network: Pick<NetcheckReport, 'mapped'>,
): Finding {
  const { gateway, answers, granted, refusal, isOff } = report
  const facts = { ...report }
  if (isOff) return { status: 'skip', message: 'off, by --port-mapping', facts }
  if (gateway === undefined)
    return { status: 'skip', message: 'this machine has no router that it could ask', facts }
  if (granted && portsOf(report, network) === 'opened') {
    const { protocol, external } = granted
    const message = `the router opens ports by ${protocolNames[protocol]}, tried with ${formatEndpoint(external)}`
    return { status: 'ok', message, facts }
  }
  if (granted)
    return {
      status: 'warn',
      code: 'E_NAT_DOUBLE',
      message: `the router opens ports at ${granted.external.address}, but the world sees ${network.mapped?.address}: there is another NAT beyond it`,
      facts,
    }
  const message =
    answers.length > 0
      ? `the router answers ${answers.map(each => protocolNames[each]).join(' and ')}, but opens no port: ${refusal}`
      : 'the router answers neither PCP, NAT-PMP nor UPnP'
  return { status: 'ok', message, facts }
}
