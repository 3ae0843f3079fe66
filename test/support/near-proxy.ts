import { connect, type Socket } from 'node:net'
import type { Listener } from '../../cli/client/inbound/listeners.ts'
import type { Limits } from '../../cli/client/inbound/newcomer.ts'
import { type ProxyOptions, startProxy } from '../../cli/client/proxy.ts'
import { createEvents, type ProxyEvent } from '../../cli/client/stats/events.ts'
import { type NearExit, type NearExitOptions, nearExit } from './near-exit.ts'
import { patient } from './patience.ts'

/** The proxy in this process, with an exit in this process, and what it told. */
export interface NearProxy {
  exit: NearExit
  /** Of the first listener. */
  port: number
  ports: number[]
  events: ProxyEvent[]
  told<T extends ProxyEvent['type']>(type: T): Extract<ProxyEvent, { type: T }>[]
  /** Connections to targets that are open now. */
  open(): number
  close(): void
}

export interface NearProxyOptions extends Partial<Omit<ProxyOptions, 'exits' | 'events' | 'listeners'>> {
  listeners?: Partial<Listener>[]
  limits?: Partial<Limits>
  exit?: NearExitOptions
}

export async function nearProxy(given: NearProxyOptions = {}): Promise<NearProxy> {
  const { listeners = [{}], exit: exitOptions, ...options } = given
  const exit = await nearExit(exitOptions)
  const bus = createEvents()
  const events: ProxyEvent[] = []
  bus.subscribe(event => events.push(event))
  try {
    const proxy = startProxy({
      ...options,
      exits: exit,
      events: bus,
      listeners: listeners.map(listener => ({ scheme: 'mixed', host: '127.0.0.1', port: 0, ...listener })),
    })
    const told = <T extends ProxyEvent['type']>(type: T) =>
      events.filter((event): event is Extract<ProxyEvent, { type: T }> => event.type === type)
    return {
      exit,
      port: proxy.listeners[0]!.port,
      ports: proxy.listeners.map(({ port }) => port),
      events,
      told,
      open: () => told('connection.opened').length - told('connection.closed').length,
      close() {
        proxy.close()
        exit.close()
      },
    }
  } catch (error) {
    exit.close()
    throw error
  }
}

/** What a server says to these bytes until it ends the connection, or until the text holds `enough`. */
export function converse(
  port: number,
  bytes: Uint8Array | string,
  enough?: (said: string) => boolean,
  limitMs = 10_000,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(port, '127.0.0.1')
    let said = ''
    const timer = setTimeout(() => {
      socket.destroy()
      reject(new Error(`no end within ${limitMs} ms after: ${JSON.stringify(said)}`))
    }, patient(limitMs))
    const done = () => {
      clearTimeout(timer)
      socket.destroy()
      resolve(said)
    }
    socket.on('data', chunk => {
      said += chunk.toString('latin1')
      if (enough?.(said)) done()
    })
    socket.on('error', () => {})
    socket.on('close', done)
    socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  })
}
