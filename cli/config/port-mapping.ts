import { createPortMapper, type PortMapper } from '../../tunnel/nat/port-mapping/mapper.ts'
import type { Config } from './load.ts'

/** What asks the router for ports, where the configuration lets it. */
export const portMapperOf = ({ values }: Config): PortMapper | undefined =>
  values['proxy.port_mapping'] === 'auto' ? createPortMapper() : undefined
