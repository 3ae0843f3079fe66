import { buildFunction } from '../../function/build.ts'
import type { EngineName } from '../../tunnel/quic/engines/engines.ts'

const built = new Map<EngineName | undefined, Promise<Uint8Array>>()

/** The function as it would be deployed, with this engine or the preferred one; each built once in a process. */
export function functionZip(engine?: EngineName): Promise<Uint8Array> {
  const building = built.get(engine) ?? buildFunction({ engine }).then(({ zip }) => zip)
  built.set(engine, building)
  return building
}
