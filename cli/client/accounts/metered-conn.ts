import type { Cancellation } from '../../../tunnel/net/cancellation.ts'
import type { Conn, ConnHandlers, Detach } from '../../../tunnel/net/conn.ts'
import type { TokenBucket } from './token-bucket.ts'

export type Direction = 'up' | 'down'

/** Who counts what a connection carries, and says how fast it may. */
export interface Meter {
  count(direction: Direction, bytes: number): void
  bucket(direction: Direction): TokenBucket | undefined
}

/** A target's connection whose bytes are counted, and held back when they come faster than they may. */
export class MeteredConn implements Conn {
  readonly gone: Cancellation
  readonly #conn: Conn
  readonly #meter: Meter
  #owner: ConnHandlers | undefined
  #ownerPaused = false
  /** Takes the wait for a bucket back. */
  readonly #waits: Partial<Record<Direction, () => void>> = {}

  constructor(conn: Conn, meter: Meter) {
    this.#conn = conn
    this.#meter = meter
    this.gone = conn.gone
  }

  get full(): boolean {
    return this.#conn.full || this.#waits.up !== undefined
  }

  attach(handlers: ConnHandlers): Detach {
    const detach = this.#conn.attach({
      data: chunk => {
        handlers.data(chunk)
        this.#meter.count('down', chunk.length)
        if (this.#isTooFast('down', chunk.length)) {
          this.#conn.pause()
          this.#waitFor('down', () => !this.#ownerPaused && this.#conn.resume())
        }
      },
      end: () => handlers.end(),
      drain: () => {
        if (!this.#waits.up) handlers.drain()
      },
      close: broken => {
        for (const takeBack of Object.values(this.#waits)) takeBack()
        handlers.close(broken)
      },
    })
    this.#owner = handlers
    this.#ownerPaused = false
    this.#waits.down?.()
    delete this.#waits.down
    return rest => {
      // It comes again for the next owner.
      if (this.#owner === handlers && rest) this.#meter.count('down', -rest.length)
      if (this.#owner === handlers) this.#owner = undefined
      detach(rest)
    }
  }

  write(chunk: Uint8Array): boolean {
    const { length } = chunk
    const isTaken = this.#conn.write(chunk)
    this.#meter.count('up', length)
    if (!this.#isTooFast('up', length)) return isTaken && !this.#waits.up
    this.#waitFor('up', () => !this.#conn.full && this.#owner?.drain())
    return false
  }

  end(): void {
    this.#conn.end()
  }

  abort(lingerMs?: number): void {
    this.#conn.abort(lingerMs)
  }

  pause(): void {
    this.#ownerPaused = true
    this.#conn.pause()
  }

  resume(): void {
    this.#ownerPaused = false
    if (!this.#waits.down) this.#conn.resume()
  }

  #isTooFast(direction: Direction, bytes: number): boolean {
    const bucket = this.#meter.bucket(direction)
    bucket?.take(bytes)
    return bucket?.inDebt === true && !this.gone.aborted
  }

  #waitFor(direction: Direction, goOn: () => unknown): void {
    this.#waits[direction] ??= this.#meter.bucket(direction)!.whenPaid(() => {
      delete this.#waits[direction]
      goOn()
    })
  }
}
