import type { SignalBucket } from '../../tunnel/signal/bucket.ts'
import { newSessionId } from '../../tunnel/signal/documents.ts'
import type { StunServerName } from '../../tunnel/stun/server-name.ts'
import type { Events } from '../events.ts'
import type { Exits } from './exits.ts'
import { LaunchError, launch, type Session } from './launch.ts'

export interface KeeperOptions {
  bucket: SignalBucket
  region: string
  stunServers: StunServerName[]
  events: Events
}

/** Keeps one session up: launches it, replaces it when it is lost, lets connections wait for it. */
export interface Keeper extends Exits {
  close(): Promise<void>
}

/** After a failed launch the next waits this long, doubled each time, in milliseconds. */
const firstRetryMs = 1_000
const slowestRetryMs = 30_000

export function keepSession({ bucket, region, stunServers, events }: KeeperOptions): Keeper {
  const stop = new AbortController()
  let current: Session | undefined
  let waiters: ((session: Session) => void)[] = []

  const loop = async () => {
    for (let retry = firstRetryMs; !stop.signal.aborted; ) {
      const id = newSessionId()
      const started = performance.now()
      events.emit({ type: 'session.launching', session: id, region })
      try {
        const session = await launch({
          id,
          bucket,
          stunServers,
          signal: stop.signal,
          onStep: (step, ms, detail) => events.emit({ type: 'session.step', session: id, step, ms, detail }),
        })
        retry = firstRetryMs
        current = session
        events.emit({
          type: 'session.ready',
          session: id,
          region: session.hello.region,
          address: session.hello.address,
          remainingMs: session.hello.remaining_ms,
          setUpMs: performance.now() - started,
        })
        for (const waiter of waiters.splice(0)) waiter(session)
        const { kind, message } = await session.connection.closed
        current = undefined
        events.emit({ type: 'session.closed', session: id, kind, message })
      } catch (error) {
        if (stop.signal.aborted) return
        const step = error instanceof LaunchError ? error.step : 'stun'
        const message = error instanceof Error ? error.message : String(error)
        events.emit({ type: 'session.failed', session: id, region, step, message, retryMs: retry })
        await Promise.race([
          Bun.sleep(retry),
          new Promise(resolve => stop.signal.addEventListener('abort', resolve)),
        ])
        retry = Math.min(retry * 2, slowestRetryMs)
      }
    }
  }
  const running = loop()

  return {
    pick(_wanted, limitMs) {
      if (current && !current.connection.silent) return Promise.resolve(current)
      return new Promise((resolve, reject) => {
        const waiter = (session: Session) => {
          clearTimeout(timer)
          resolve(session)
        }
        const timer = setTimeout(() => {
          waiters = waiters.filter(each => each !== waiter)
          reject(new Error(`no exit came up within ${limitMs / 1000} s`))
        }, limitMs)
        waiters.push(waiter)
      })
    },
    async close() {
      stop.abort()
      current?.bye('the client ends')
      await running
    },
  }
}
