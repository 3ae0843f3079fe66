import { CodedError } from '../../../tunnel/net/coded-error.ts'
import { newSessionId } from '../../../tunnel/signalling/documents.ts'
import type { Events } from '../stats/events.ts'
import { cameUp } from './bans.ts'
import type { Failures } from './failures.ts'
import { cameUpFresh } from './freshness.ts'
import { enginesOf, type Session } from './launch.ts'
import { replaceAt } from './plan.ts'
import { launchIn, type SessionSource } from './session-source.ts'
import { arrived, calledOff, draining, ended, type FleetState, launching, ready } from './state.ts'

export interface ExitLifeOptions {
  state: FleetState
  /** The sessions that are up, by id; kept here. */
  sessions: Map<string, Session>
  failures: Failures
  source: SessionSource
  /** Where the exits are to look names up; their own resolvers otherwise. */
  dns?: string | undefined
  events: Events
  /** Aborted when the fleet is closed. */
  signal: AbortSignal
  /** Something happened that the plan depends on. */
  onChange(): void
}

/** What happens to exits, each from its launch to its end: recorded in the state, and told by events. */
export interface ExitLife {
  /** Launches one. Resolves when it has ended, or did not come up, and nothing of it is left in the bucket. */
  run(region: string, extra?: boolean): Promise<void>
  /** It accepts no new connections; those that it has continue. */
  drain(id: string): void
  /** All paths may be gone: launches start over, and each exit must answer a probe. */
  doubt(): void
}

export function exitLife(options: ExitLifeOptions): ExitLife {
  const { state, sessions, failures, source, dns, events, signal } = options
  const now = () => performance.now()
  /** This end's public address: a guess for when no STUN server answers. */
  let lastAddress: string | undefined

  /** Why no function could be invoked, by region: each is told once. */
  const toldNotInvoked = new Set<string>()

  /** Why no TURN server lent an address the last time: told once, until one does again. */
  let toldNoRelay: string | undefined
  /** Aborts the launches that are under way. */
  const underWay = new Set<AbortController>()

  const bringUp = (id: string, region: string, signal: AbortSignal): Promise<Session> =>
    launchIn(source, region, {
      id,
      ...(dns && { dns }),
      signal,
      ...(lastAddress && { lastAddress }),
      onStep(step, ms, detail, start) {
        events.emit({ type: 'exit.step', session: id, step, ms, detail, ...start })
      },
      onWaiting: limitMs => events.emit({ type: 'exit.waiting', session: id, region, limitMs }),
      onNotInvoked(error) {
        const reason = `${region} ${error.code}`
        if (toldNotInvoked.has(reason)) return
        toldNotInvoked.add(reason)
        events.emit({ type: 'invoke.failed', session: id, region, ...error })
      },
      onNoRelay(error) {
        if (toldNoRelay === error.code) return
        toldNoRelay = error.code
        events.emit({ type: 'relay.failed', session: id, region, ...error })
      },
      onRelay() {
        toldNoRelay = undefined
      },
      onMoved: candidate => events.emit({ type: 'exit.moved', session: id, candidate }),
    })

  /** From now on connections may use it. */
  const begin = (session: Session, region: string, launchedAt: number): void => {
    const { id, connection, hello, control, deadline } = session
    ready(state, id, deadline, now(), hello.address)
    sessions.set(id, session)
    const exit = state.exits.get(id)
    for (const site of exit ? cameUp(state.bans, exit) : [])
      events.emit({ type: 'site.unbanned', site, address: hello.address })
    for (const site of exit ? cameUpFresh(state.freshness, exit) : [])
      events.emit({ type: 'site.repeated', site, address: hello.address })
    lastAddress = session.clientAddress ?? lastAddress
    failures.recovered(region)
    connection.onSilence = silent => {
      const exit = state.exits.get(id)
      if (!exit) return
      exit.silent = silent
      events.emit({ type: 'exit.silent', session: id, silent })
      // Connections that have received nothing yet can be served by another exit.
      if (silent) connection.abortUnheard()
      options.onChange()
    }
    control.onMessage = message => {
      if (message.type === 'drain') drain(id)
    }
    events.emit({
      type: 'exit.ready',
      session: id,
      region,
      address: hello.address,
      remainingMs: hello.remaining_ms,
      replaceMs: exit ? Math.max(0, replaceAt(exit, state.settings.rotateMs) - now()) : hello.remaining_ms,
      setUpMs: now() - launchedAt,
      memoryMb: hello.memory_mb,
      ...(hello.architecture && { architecture: hello.architecture }),
      engines: enginesOf(session),
      candidate: session.candidate,
      ...(session.byOpenPort && { byOpenPort: true }),
    })
    // Before any connection can get it.
    if (exit)
      events.emit({ type: 'address.seen', session: id, region, ...arrived(state, exit, hello.address) })
    options.onChange()
  }

  const drain = (id: string) => {
    const session = sessions.get(id)
    if (!session || state.exits.get(id)?.phase !== 'active') return
    draining(state, id, now())
    events.emit({
      type: 'exit.draining',
      session: id,
      connections: session.connection.streams - 1,
      remainingMs: session.deadline - now(),
    })
    // Not within the plan that asks for it.
    setTimeout(options.onChange)
  }

  const end = ({ id }: Session, code: string, message: string) => {
    if (!sessions.delete(id)) return
    ended(state, id, now(), Math.random)
    events.emit({ type: 'exit.closed', session: id, code, message })
    options.onChange()
  }

  const callOff = (id: string, region: string, error: unknown) => {
    calledOff(state, id)
    events.emit({ type: 'exit.failed', session: id, region, retryMs: 0, ...failures.note(region, error) })
    options.onChange()
  }

  const fail = (id: string, region: string, error: unknown) => {
    const retryMs = ended(state, id, now(), Math.random)
    events.emit({ type: 'exit.failed', session: id, region, retryMs, ...failures.note(region, error) })
    options.onChange()
  }

  return {
    drain,
    doubt() {
      lastAddress = undefined
      for (const launch of underWay)
        launch.abort(new CodedError('E_NETWORK_CHANGED', 'the network changed while the exit was launched'))
      for (const bucket of source.buckets.values()) bucket.reconnect()
      for (const trigger of source.triggers?.values() ?? []) trigger.reconnect?.()
      for (const { connection } of sessions.values()) connection.doubt()
    },
    async run(region, extra) {
      const id = newSessionId()
      const bucket = source.buckets.get(region)!
      const launchedAt = now()
      launching(state, id, region, launchedAt, extra)
      events.emit({ type: 'exit.launching', session: id, region })
      let session: Session
      const own = new AbortController()
      underWay.add(own)
      const coming = bringUp(id, region, AbortSignal.any([signal, own.signal]))
      try {
        session = await Promise.race([coming, abortOf(own.signal)])
      } catch (error) {
        if (signal.aborted) return
        if (own.signal.aborted) {
          // A request sent on a path that is gone is not waited for.
          coming.then(late => late.bye('called off')).catch(() => {})
          callOff(id, region, error)
        } else fail(id, region, error)
        return
      } finally {
        underWay.delete(own)
      }
      if (signal.aborted) session.bye('the client ends')
      else begin(session, region, launchedAt)
      const { code, message } = await session.connection.closed
      end(session, code, message)
      // The next launch need not wait until what this one left in the bucket is deleted.
      await bucket.remove(id).catch(() => {})
    },
  }
}

// --- internal ---

/** Rejects with the signal's reason, and is never fulfilled. */
const abortOf = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
