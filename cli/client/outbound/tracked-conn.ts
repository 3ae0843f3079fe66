import type { Cancellation } from '../../../tunnel/net/cancellation.ts'
import type { Conn, ConnHandlers, Detach } from '../../../tunnel/net/conn.ts'
import type { ConnectionTracker } from './connection-tracker.ts'

/** A target's connection that counts what goes through it, and tells the tracker how it ended. */
export class TrackedConn implements Conn {
  readonly gone: Cancellation
  readonly #conn: Conn
  readonly #tracker: ConnectionTracker
  #endSent = false
  #endHeard = false
  #aborted = false

  constructor(conn: Conn, tracker: ConnectionTracker) {
    this.#conn = conn
    this.#tracker = tracker
    this.gone = conn.gone
    const told = () => {
      if (this.#endSent && this.#endHeard) tracker.onEnd('complete')
      else tracker.onEnd(this.#aborted ? 'client-closed' : 'target-closed')
    }
    if (this.gone.aborted) told()
    else this.gone.addEventListener('abort', told, { once: true })
  }

  get full(): boolean {
    return this.#conn.full
  }

  attach(handlers: ConnHandlers): Detach {
    const { counts } = this.#tracker
    const detach = this.#conn.attach({
      data: chunk => {
        counts.down += chunk.length
        handlers.data(chunk)
      },
      end: () => {
        this.#endHeard = true
        handlers.end()
      },
      drain: () => handlers.drain(),
      close: broken => handlers.close(broken),
    })
    return rest => {
      // It comes again for the next owner.
      counts.down -= rest?.length ?? 0
      detach(rest)
    }
  }

  write(chunk: Uint8Array): boolean {
    this.#tracker.counts.up += chunk.length
    return this.#conn.write(chunk)
  }

  end(): void {
    this.#endSent = true
    this.#conn.end()
  }

  abort(lingerMs?: number): void {
    this.#aborted = true
    this.#conn.abort(lingerMs)
  }

  pause(): void {
    this.#conn.pause()
  }

  resume(): void {
    this.#conn.resume()
  }
}
