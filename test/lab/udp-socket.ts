import { join } from 'node:path'
import type { Endpoint } from '../../tunnel/net/endpoint.ts'
import type { Lab, Where } from './lab.ts'

export interface LabSocket extends Endpoint {
  send(word: string, to: Endpoint): Promise<void>
  /** Where the datagram that says this word came from. */
  hears(word: string): Promise<Endpoint>
  /** Every word heard so far. */
  heard(): string[]
}

/** Opens a UDP socket in the lab, on any free port unless told otherwise. */
export async function socketAt(lab: Lab, where: Where, address = '0.0.0.0', port = 0): Promise<LabSocket> {
  const program = lab.run(where, process.execPath, [
    join(import.meta.dir, 'programs/udp-peer.ts'),
    address,
    `${port}`,
  ])
  const [, bound] = await program.line(/^bound (\d+)/)
  return {
    address,
    port: Number(bound),
    async send(word, to) {
      program.tell(`send ${word} ${to.address} ${to.port}`)
      await program.line(new RegExp(`^sent ${word}$`))
    },
    async hears(word) {
      const [, from, fromPort] = await program.line(new RegExp(`^heard ${word} from (\\S+) (\\d+)`))
      return { address: from!, port: Number(fromPort) }
    },
    heard: () => [...program.said().matchAll(/^heard (\S+)/gm)].map(([, word]) => word!),
  }
}
