import type { LinkCounters } from './path.ts'
import { node, root, type Started, type StartOptions, start, withKey } from './processes.ts'

/** Near is the client with its applications, far the exit and the web server. */
export type Side = 'near' | 'far'

/** What lies between the sides, where something does. */
export interface BetweenSides {
  /** Of a round trip. */
  delayMs: number
  /** What it has carried so far. */
  counters(): Promise<LinkCounters>
}

/** Where a trial happens: two sides, and a web server on the far one. */
export interface Place {
  /** What stands in the report: the delay and the loss between the sides, nothing for loopback. */
  readonly name: string
  /** IPv4 address of each side, the same one on loopback. */
  readonly address: Record<Side, string>
  /** The web server that every load goes to. */
  readonly origin: { port: number; pid: number }
  readonly link?: BetweenSides | undefined
  start(side: Side, command: readonly string[], options?: StartOptions): Started
  /** Ends the web server, and what the place is made of. */
  close(): Promise<void>
}

interface Ground {
  name: string
  address: Record<Side, string>
  /** What stands before a command to run it on a side. */
  inside: Record<Side, string[]>
  link?: BetweenSides
  close?(): Promise<void>
}

/** Makes a place of two addresses that reach each other. */
export async function settle({ name, address, inside, link, close }: Ground): Promise<Place> {
  const startAt: Place['start'] = (side, command, options) => start([...inside[side], ...command], options)
  const server = startAt('far', [node, `${root}/test/bench/programs/origin.ts`], {
    spec: { address: address.far },
  })
  const { port } = await server.hear('it had a port', withKey<{ port: number }>('port'))
  return {
    name,
    address,
    link,
    origin: { port, pid: server.pid },
    start: startAt,
    async close() {
      await server.stop()
      await close?.()
    },
  }
}

/** Both sides on the loopback address. */
export const loopback = (): Promise<Place> =>
  settle({ name: '', address: { near: '127.0.0.1', far: '127.0.0.1' }, inside: { near: [], far: [] } })
