import type { EngineName } from '../../tunnel/quic/engines/engines.ts'
import type { Config } from './load.ts'

/** The engine that the configuration asks for; undefined: the preferred one of those that load. */
export function engineOf({ values }: Config): EngineName | undefined {
  const name = values['proxy.engine']
  return name === 'auto' ? undefined : name
}
