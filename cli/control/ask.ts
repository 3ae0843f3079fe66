import * as v from 'valibot'
import { CodedError } from '../../tunnel/net/coded-error.ts'
import { ControlError } from './control-error.ts'
import { type Place, pidIn, places } from './folder.ts'
import { look } from './look.ts'
import type { OperationName, Operations } from './operations.ts'

/** A proxy that runs on this machine, as this user may reach it. */
export interface RunningProxy {
  readonly port: number
  /** Its process, where it says so. */
  readonly pid: number | undefined
  /**
   * Has it do something within a limit in milliseconds. Throws what it answers, or a ControlError when it does not:
   * E_CONTROL_SILENT when the time is over.
   */
  ask<Name extends OperationName>(
    name: Name,
    input: Operations[Name]['input'],
    limitMs?: number,
  ): Promise<Operations[Name]['output']>
}

/** A proxy answers at once. Milliseconds. */
const limitMs = 5_000
/** A reload may read much. Milliseconds. */
const reloadLimitMs = 30_000

/** The proxy with a listener at this port, or the only one that runs. Throws a ControlError where there is none, or several. */
export async function findProxy(port?: number): Promise<RunningProxy> {
  const found = await runningProxies(port)
  const [proxy] = found
  if (!proxy)
    throw new ControlError(
      'E_PROXY_NOT_RUNNING',
      port === undefined ? 'no proxy runs on this machine' : `no proxy runs at port ${port} on this machine`,
      { hint: 'Start one with "lambda-nat-proxy run". One that another user started is that user’s alone.' },
    )
  if (found.length > 1)
    throw new ControlError('E_SEVERAL_PROXIES', `${found.length} proxies run on this machine`, {
      hint: `Say which one: --proxy ${found.map(({ port }) => port).join(' or --proxy ')}.`,
    })
  return proxy
}

/** Those that listen, whether they answer or not, by port; of this port alone where one is given. */
export async function runningProxies(port?: number): Promise<RunningProxy[]> {
  const meant = places().filter(place => port === undefined || place.port === port)
  const found = await Promise.all(
    meant.map(async place => ((await look(place)) === 'alive' ? [at(place)] : [])),
  )
  return found.flat().sort((a, b) => a.port - b.port)
}

/** What a process that does not answer can be made to do. It reads no other signal while it is stopped. */
export const silentAdvice = (pid: number | undefined): string =>
  pid === undefined
    ? 'Its process may be stopped: let it go on, or end it.'
    : `It may be stopped: "kill -CONT ${pid}" lets it go on, "kill -KILL ${pid}" ends it.`

// --- internal ---

function at(place: Place): RunningProxy {
  const { port } = place
  const pid = pidIn(place)
  return {
    port,
    pid,
    async ask<Name extends OperationName>(
      name: Name,
      input: Operations[Name]['input'],
      limit = name === 'reload' ? reloadLimitMs : limitMs,
    ) {
      const { ok, body } = await request(place.socket, name, input, limit).catch(error => {
        throw isTimeout(error) ? silent(port, pid, limit) : noAnswer(error)
      })
      if (ok) return body as Operations[Name]['output']
      const { success, output } = v.safeParse(errorShape, body)
      if (!success) throw noAnswer()
      throw new CodedError(output.code, output.message, { hint: output.hint })
    },
  }
}

const errorShape = v.object({ code: v.string(), message: v.string(), hint: v.optional(v.string()) })

const silent = (port: number, pid: number | undefined, limitMs: number) =>
  new ControlError(
    'E_CONTROL_SILENT',
    `the proxy at port ${port} did not answer within ${limitMs / 1000} s`,
    {
      hint: silentAdvice(pid),
    },
  )

const noAnswer = (cause?: unknown) =>
  new ControlError('E_CONTROL_LOST', 'the proxy ended before it had answered', {
    hint: 'See with "lambda-nat-proxy exits" whether it runs.',
    cause,
  })

const isTimeout = (error: unknown) => error instanceof DOMException && error.name === 'TimeoutError'

async function request(
  socket: string,
  name: OperationName,
  input: object,
  limitMs: number,
): Promise<{ ok: boolean; body: unknown }> {
  const response = await fetch(`http://localhost/api/${name}`, {
    method: 'POST',
    body: JSON.stringify(input),
    unix: socket,
    signal: AbortSignal.timeout(limitMs),
  })
  return { ok: response.ok, body: await response.json() }
}
