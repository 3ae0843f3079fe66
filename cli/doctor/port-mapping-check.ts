import type { NetcheckReport } from '../../tunnel/nat/netcheck.ts'
import { protocolNames } from '../../tunnel/nat/port-mapping/router.ts'
import type { PortMappingReport } from '../../tunnel/nat/port-mapping/survey.ts'
import { formatEndpoint } from '../../tunnel/net/endpoint.ts'
import type { Check, Finding } from './check.ts'
import type { Context } from './context.ts'

/** Whether the router opens ports, which makes the NAT's kind matter no more. */
export const portMappingCheck: Check<Context> = {
  name: 'port mapping',
  after: ['udp'],
  limitMs: 20_000,
  async run({ config, isLocal, netcheck, portMapping }) {
    if (config.values['proxy.port_mapping'] === 'off')
      return { status: 'skip', message: 'off, by --port-mapping' }
    if (isLocal) return { status: 'skip', message: 'not needed with --local' }
    return judgePortMapping(await portMapping(), await netcheck())
  },
}

/** What a router's answer means for exits. */
export function judgePortMapping(
  report: PortMappingReport,
  { isOwn, kind, mapped }: Pick<NetcheckReport, 'isOwn' | 'kind' | 'mapped'>,
): Finding {
  const { gateway, answers, granted, refusal } = report
  const facts = { ...report }
  if (isOwn) return { status: 'skip', message: 'there is no NAT', facts }
  if (gateway === undefined)
    return { status: 'skip', message: 'this machine has no router that it could ask', facts }
  if (granted && mapped && granted.external.address !== mapped.address)
    return {
      status: 'warn',
      code: 'E_NAT_DOUBLE',
      message: `the router opens ports at ${granted.external.address}, but the world sees ${mapped.address}: there is another NAT beyond it`,
      facts,
    }
  if (granted) {
    const { protocol, external } = granted
    const message = `the router opens ports (${protocolNames[protocol]}), as ${formatEndpoint(external)}: every exit can come in`
    return { status: 'ok', message, facts }
  }
  const message =
    answers.length > 0
      ? `the router answers ${answers.map(each => protocolNames[each]).join(' and ')}, but opens no port: ${refusal}`
      : 'the router answers neither PCP, NAT-PMP nor UPnP'
  if (kind !== 'symmetric') return { status: 'ok', message: `${message}; it is not needed`, facts }
  return { status: 'warn', code: 'E_PORT_MAPPING_NONE', message, facts }
}
