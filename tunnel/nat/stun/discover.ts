import { setTimeout as sleep } from 'node:timers/promises'
import { CodedError } from '../../net/coded-error.ts'
import type { UdpSocket } from '../../net/udp/socket.ts'
import { createStunClient, type ServerReport } from './client.ts'
import type { View } from './mapping.ts'
import type { StunServerName } from './server-name.ts'

export interface DiscoverOptions {
  /** How many servers' views are wanted, 1 by default: so many are asked at once. Two tell how the NAT maps. */
  want?: number
  /** Limit for all of it in milliseconds, 8,000 by default. */
  limitMs?: number
  signal?: AbortSignal
}

export type StunErrorCode =
  | 'E_STUN_UNREACHABLE'
  /** No server's name has an address: there is no network, or no DNS. */
  | 'E_STUN_NAME_NOT_FOUND'

/** No server answered; `tried` says what became of each. */
export class StunError extends CodedError<StunErrorCode> {
  override name = 'StunError'
  constructor(readonly tried: readonly ServerReport[]) {
    const list = tried.map(({ server, outcome }) => `${server} (${words[outcome]})`).join(', ')
    const isNameless = tried.every(({ outcome }) => outcome === 'name-not-found')
    super(isNameless ? 'E_STUN_NAME_NOT_FOUND' : 'E_STUN_UNREACHABLE', `no STUN server answered: ${list}`, {
      hint: isNameless
        ? 'There may be no network, or no DNS.'
        : 'UDP may be blocked on this network, or the servers may be wrong: name another server.',
    })
  }
}

/** A server that is silent this long is not waited for: the next is asked as well. */
const nextServerMs = 500
/** One view will do: the others that are wanted are waited for no longer than this after the first. */
const furtherViewsMs = 300

/**
 * Asks STUN servers for the public address of this socket, the next in turn where one is silent. Takes over
 * `socket.onDatagram` while it runs. Gives at least one view, in order of arrival, or throws a StunError when there
 * is none within the limit, and the signal's reason.
 */
export async function discover(
  socket: UdpSocket,
  servers: readonly StunServerName[],
  { want = 1, limitMs = 8_000, signal }: DiscoverOptions = {},
): Promise<View[]> {
  signal?.throwIfAborted()
  const client = createStunClient(socket, { limitMs })
  const reports: ServerReport[] = servers.map(({ host, port }) => ({
    server: `${host}:${port}`,
    outcome: 'not-asked',
  }))
  const views: View[] = []
  const done = Promise.withResolvers<void>()
  const over = new AbortController()
  const after = (ms: number, action: () => void) =>
    void sleep(ms, undefined, { signal: over.signal }).then(action, () => {})

  let asked = 0
  let answered = 0
  const askNext = () => {
    const index = asked++
    if (index < servers.length) void ask(index)
  }
  const ask = async (index: number) => {
    reports[index] = { ...reports[index]!, outcome: 'silent' }
    let next = () => {
      next = () => {}
      askNext()
    }
    after(nextServerMs, () => next())
    const report = await client.askByName(servers[index]!)
    reports[index] = report
    answered++
    if (report.view) {
      views.push(report.view)
      if (views.length >= Math.min(want, servers.length)) done.resolve()
      else after(furtherViewsMs, done.resolve)
    } else next()
    if (answered === servers.length) done.resolve()
  }

  after(limitMs, done.resolve)
  const abort = () => done.reject(signal?.reason)
  signal?.addEventListener('abort', abort, { once: true })
  for (let count = 0; count < want; count++) askNext()
  try {
    await done.promise
  } finally {
    over.abort()
    client.close()
    signal?.removeEventListener('abort', abort)
  }
  if (views.length === 0) throw new StunError(reports)
  return views
}

// --- internal ---

const words: Record<ServerReport['outcome'], string> = {
  answered: 'answered',
  silent: 'no answer',
  refused: 'refused',
  'name-not-found': 'name not found',
  'not-asked': 'not asked',
}
