import { suite, type Test } from 'uvu'
import { closeAfterEach } from './close-after-each.ts'
import { type NearProxy, type NearProxyOptions, nearProxy } from './near-proxy.ts'
import {
  type Association,
  type AssociationOptions,
  type UdpServer,
  udpAssociation,
  udpEcho,
} from './udp-client.ts'
import { until } from './until.ts'

export interface AssociationContext {
  /** A server that the tests send packets to. */
  echo: UdpServer
  proxy: (options?: NearProxyOptions) => Promise<NearProxy>
  open: (options: AssociationOptions) => Promise<Association>
}

/** A suite whose tests open UDP associations; what they opened is closed after each. */
export function associationSuite(name: string): Test<AssociationContext> {
  const test = suite<AssociationContext>(name)
  const later = closeAfterEach(test)
  test.before.each(async context => {
    context.proxy = async options => later(await nearProxy(options))
    context.open = async options => later(await udpAssociation(options))
    context.echo = later(await udpEcho())
  })
  return test
}

/** Waits until so many packets have come back, and gives their data. */
export async function answers(association: Association, count: number): Promise<string[]> {
  await until(() => association.received.length >= count, `${count} packets back`)
  return association.received.map(({ data }) => data.toString())
}
