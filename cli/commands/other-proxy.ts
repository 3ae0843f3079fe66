import { formatDuration } from '../client/stats/format.ts'
import { runningProxies } from '../control/ask.ts'
import type { StatusReport } from '../control/operations.ts'
import { ListenError } from '../input/listen-error.ts'
import { errorsIn, throwTogether } from '../input/together.ts'
import { UsageError } from '../input/usage-error.ts'

/** Starts what listens. Where another proxy of ours has the port, the error says which one, and what to do. */
export async function namingOtherProxy<T>(start: () => T): Promise<T> {
  try {
    return start()
  } catch (error) {
    throwTogether(await Promise.all(errorsIn(error).map(explained)))
    throw error
  }
}

// --- internal ---

async function explained(error: unknown): Promise<unknown> {
  if (!(error instanceof ListenError) || error.listener !== 'proxy' || error.code !== 'E_PORT_IN_USE')
    return error
  const statuses = await Promise.allSettled((await runningProxies()).map(proxy => proxy.ask('status', {})))
  const owner = statuses
    .flatMap(each => (each.status === 'fulfilled' ? [each.value] : []))
    .find(({ listeners }) => listeners.some(({ port }) => port === error.port))
  return owner ? otherProxy(error.port, owner) : error
}

function otherProxy(port: number, { pid, startedAt }: StatusReport): UsageError<'E_PROXY_RUNS'> {
  const started = new Date(startedAt).toISOString().replace(/\.\d+Z$/, 'Z')
  const ago = formatDuration(Date.now() - startedAt)
  return new UsageError(
    `a lambda-nat-proxy has port ${port} already: process ${pid}, started ${started} (${ago} ago)`,
    {
      code: 'E_PROXY_RUNS',
      hint: `Use it as it is ("lambda-nat-proxy exits" lists its exits), end it with "kill ${pid}", or choose another port with --port.`,
    },
  )
}
