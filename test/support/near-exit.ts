import type { ExitRequest, Exits } from '../../cli/client/fleet/exits.ts'
import type { Session } from '../../cli/client/fleet/launch.ts'
import type { AssociationLimits } from '../../function/association-table.ts'
import type { Log } from '../../function/log.ts'
import { createResolver } from '../../function/resolve.ts'
import { createRoom } from '../../function/room.ts'
import { streamServer } from '../../function/serve.ts'
import { quicPair } from './quic-pair.ts'

/** An exit in this process, behind a real QUIC connection; it reaches loopback. */
export interface NearExit extends Exits {
  /** What was asked for, connection by connection. */
  readonly requests: Omit<ExitRequest, 'signal'>[]
  /** How often it was said to be full. It is the only one, and is asked again at once. */
  readonly toldFull: number
  /** Streams that are open at this end. */
  streams(): number
  /** From here on there is no exit: who asks is told so. */
  vanish(): void
  close(): void
}

const quiet: Log = { debug() {}, info() {}, warn() {}, error() {}, with: () => quiet }

export interface NearExitOptions {
  /** Whether it reaches private addresses, loopback among them: true by default. */
  allowPrivate?: boolean
  associations?: Partial<AssociationLimits>
  /** As many fit; 10,000 by default. */
  connections?: number
  /** Streams are served when this has resolved, in their order. */
  held?: Promise<void>
}

export async function nearExit(options: NearExitOptions = {}): Promise<NearExit> {
  const { allowPrivate = true, associations = {} } = options
  const pair = await quicPair()
  const { connection } = pair.exit
  const serve = streamServer(connection, {
    resolver: createResolver('system', allowPrivate),
    room: createRoom(options.connections ?? 10_000),
    log: quiet,
    associations,
  })
  connection.onStream = stream => void (options.held ?? Promise.resolve()).then(() => serve(stream))
  const session: Session = {
    id: 'near',
    candidate: 'host',
    byOpenPort: false,
    clientAddress: '127.0.0.1',
    connection: pair.client.connection,
    hello: {
      type: 'hello',
      version: 1,
      region: 'local-1',
      address: '127.0.0.1',
      remaining_ms: 600_000,
      memory_mb: 256,
      request_id: 'near',
    },
    deadline: Number.POSITIVE_INFINITY,
    control: { onMessage() {}, send() {} },
    bye() {},
  }
  const requests: NearExit['requests'] = []
  let toldFull = 0
  let here = true
  return {
    requests,
    streams: () => session.connection.streams,
    vanish: () => {
      here = false
    },
    async select({ signal: _, regions, ...request }) {
      requests.push({ ...request, ...(regions && { regions }) })
      if (!here) throw new Error('no exit came up')
      return session
    },
    get toldFull() {
      return toldFull
    },
    full() {
      toldFull++
    },
    mayReuse: () => true,
    close: pair.close,
  }
}
