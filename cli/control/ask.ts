import * as v from 'valibot'
import { CodedError, errorData } from '../../tunnel/net/coded-error.ts'
import { ControlError } from './control-error.ts'
import { type Place, places } from './folder.ts'
import type { OperationName, Operations } from './operations.ts'

/** A proxy that runs on this machine, as this user may reach it. */
export interface RunningProxy {
  readonly port: number
  /** Has it do something. Throws what it answers, or a ControlError when it does not. */
  ask<Name extends OperationName>(
    name: Name,
    input: Operations[Name]['input'],
  ): Promise<Operations[Name]['output']>
}

/** A proxy answers at once, but a reload may read much. Milliseconds. */
const limitMs = 30_000
/** Whether one is there at all is known sooner. Milliseconds. */
const lookLimitMs = 3_000

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

/** Those that answer, by port; of this port alone where one is given, and then no other is waited for. */
export async function runningProxies(port?: number): Promise<RunningProxy[]> {
  const meant = places().filter(place => port === undefined || place.port === port)
  const answers = await Promise.all(
    meant.map(async place => ((await look(place)) === 'alive' ? [at(place)] : [])),
  )
  return answers.flat().sort((a, b) => a.port - b.port)
}

/** Whether somebody listens there: one that takes its time is alive, and who may not connect does not know. */
export async function look({ socket }: Place): Promise<'alive' | 'dead' | 'unknown'> {
  try {
    await request(socket, 'status', {}, lookLimitMs)
    return 'alive'
  } catch (error) {
    const { code } = errorData(error)
    return code === 'E_CONTROL_SILENT' ? 'alive' : code === 'ECONNREFUSED' ? 'dead' : 'unknown'
  }
}

// --- internal ---

const at = ({ port, socket }: Place): RunningProxy => ({
  port,
  async ask<Name extends OperationName>(name: Name, input: Operations[Name]['input']) {
    const { ok, body } = await request(socket, name, input, limitMs).catch(error => {
      throw error instanceof ControlError ? error : noAnswer(error)
    })
    if (ok) return body as Operations[Name]['output']
    const { success, output } = v.safeParse(errorShape, body)
    if (!success) throw noAnswer()
    throw new CodedError(output.code, output.message, { hint: output.hint })
  },
})

const errorShape = v.object({ code: v.string(), message: v.string(), hint: v.optional(v.string()) })

const noAnswer = (cause?: unknown) =>
  new ControlError('E_CONTROL_LOST', 'the proxy ended before it had answered', {
    hint: 'See with "lambda-nat-proxy exits" whether it runs.',
    cause,
  })

async function request(
  socket: string,
  name: OperationName,
  input: object,
  limitMs: number,
): Promise<{ ok: boolean; body: unknown }> {
  try {
    const response = await fetch(`http://localhost/api/${name}`, {
      method: 'POST',
      body: JSON.stringify(input),
      unix: socket,
      signal: AbortSignal.timeout(limitMs),
    })
    return { ok: response.ok, body: await response.json() }
  } catch (error) {
    if (error instanceof DOMException && error.name === 'TimeoutError')
      throw new ControlError('E_CONTROL_SILENT', `the proxy did not answer within ${limitMs / 1000} s`)
    throw error
  }
}
