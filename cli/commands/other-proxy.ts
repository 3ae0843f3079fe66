import { errorData } from '../../tunnel/net/coded-error.ts'
import { formatDuration } from '../client/stats/format.ts'
import { type RunningProxy, runningProxies, silentAdvice } from '../control/ask.ts'
import type { StatusReport } from '../control/operations.ts'
import { ListenError } from '../input/listen-error.ts'
import { errorsIn, throwTogether } from '../input/together.ts'
import { UsageError } from '../input/usage-error.ts'

/**
 * Starts what listens. Where another proxy of ours has the port, the error says which one,
 * whether it answers, and what to do.
 */
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
  const { port } = error
  const answers = await Promise.all((await runningProxies()).map(answerOf))
  const owner = answers.find(({ status }) => status?.listeners.some(listener => listener.port === port))
  if (owner?.status) return otherProxy(port, owner.status)
  const silent = answers.find(({ isSilent, proxy }) => isSilent && proxy.port === port)
  return silent ? silentProxy(silent.proxy) : error
}

/** A proxy says at once who it is, and somebody waits here to start one. Milliseconds. */
const limitMs = 1_500

interface Answer {
  proxy: RunningProxy
  status?: StatusReport
  isSilent?: boolean
}

async function answerOf(proxy: RunningProxy): Promise<Answer> {
  try {
    return { proxy, status: await proxy.ask('status', {}, limitMs) }
  } catch (error) {
    return { proxy, isSilent: errorData(error).code === 'E_CONTROL_SILENT' }
  }
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

function silentProxy({ port, pid }: RunningProxy): UsageError<'E_PROXY_SILENT'> {
  const process = pid === undefined ? '' : ` (process ${pid})`
  return new UsageError(`a lambda-nat-proxy has port ${port} already, and does not answer${process}`, {
    code: 'E_PROXY_SILENT',
    hint: `${silentAdvice(pid)} Or choose another port with --port.`,
  })
}
