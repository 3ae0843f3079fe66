import { type Cancellation, CancelSignal } from './cancellation.ts'
import { CodedError } from './coded-error.ts'
import type { Conn, ConnHandlers, Detach } from './conn.ts'

/** One for all: to make an error, with its stack, for each connection that ends is half the cost of ending it. */
const isGone = new DOMException('the connection is gone', 'AbortError')

/** What every connection has in common: who owns it, and what waits to be told. */
export abstract class OwnedConn implements Conn {
  #owner: ConnHandlers | undefined
  #paused = false
  /** `stopReading` was called last, and not `startReading`. */
  #stopped = false
  /** Chunks that came while nobody took any: what was on its way, or what an owner has handed back. */
  #kept: Uint8Array[] = []
  #ended: 'not' | 'untold' | 'told' = 'not'
  #closed: 'not' | 'untold' | 'told' = 'not'
  #broken = false
  #gone: CancelSignal | undefined

  abstract readonly full: boolean
  abstract write(chunk: Uint8Array): boolean
  abstract end(): void
  abstract abort(lingerMs?: number): void

  get gone(): Cancellation {
    this.#gone ??= new CancelSignal()
    if (this.#closed !== 'not') this.#gone.abort(isGone)
    return this.#gone
  }

  attach(handlers: ConnHandlers): Detach {
    if (this.#owner)
      throw new CodedError('E_CONN_OWNED', 'the connection has an owner, who must detach first')
    this.#owner = handlers
    this.#paused = false
    if (this.#ended === 'told') this.#ended = 'untold'
    if (this.#closed === 'told') this.#closed = 'untold'
    queueMicrotask(this.#tellWaiting)
    return rest => this.#detach(handlers, rest)
  }

  pause(): void {
    this.#paused = true
    this.#stop()
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#flow()
  }

  // --- what a kind of connection says and is asked ---

  /** Lets the peer wait. May be called when there is nothing to stop. */
  protected abstract stopReading(): void
  protected abstract startReading(): void

  /** Somebody takes data, and nothing waits before it. */
  protected get flowing(): boolean {
    return this.#owner !== undefined && !this.#paused && this.#kept.length === 0
  }

  /** The owner takes nothing now, or the last one went without a `resume`. */
  protected get paused(): boolean {
    return this.#paused
  }

  /** The peer's end was seen. */
  protected get peerEnded(): boolean {
    return this.#ended !== 'not'
  }

  protected get isGone(): boolean {
    return this.#closed !== 'not'
  }

  /** Takes what waits to be told: whoever carries the connection on without an owner passes it on. */
  protected takeKept(): Uint8Array {
    const kept = this.#kept
    this.#kept = []
    return kept.length === 1 ? kept[0]! : Buffer.concat(kept)
  }

  /** A chunk came. Unless `flowing`, it is kept by reference. */
  protected received(chunk: Uint8Array): void {
    if (this.flowing) return void this.#owner!.data(chunk)
    this.#kept.push(chunk)
    this.#stop()
  }

  protected ended(): void {
    if (this.#ended !== 'not') return
    this.#ended = 'untold'
    if (this.flowing) this.#flow()
  }

  protected drained(): void {
    this.#owner?.drain()
  }

  /** It is over. Without anything that waits to be taken, a paused owner hears so at once. */
  protected over(broken: boolean): void {
    if (this.#closed !== 'not') return
    this.#closed = 'untold'
    this.#broken = broken
    this.#gone?.abort(isGone)
    if (this.#owner && this.#kept.length === 0 && (this.#ended !== 'untold' || !this.#paused))
      this.#tellOver()
  }

  // --- internal ---

  /** Whoever owns the connection by then hears what waits. (One function for all its owners.) */
  readonly #tellWaiting = (): void => {
    if (this.#owner) this.#flow()
  }

  #detach(handlers: ConnHandlers, rest?: Uint8Array): void {
    if (this.#owner !== handlers) return
    this.#owner = undefined
    if (rest && rest.length > 0) this.#kept.unshift(new Uint8Array(rest))
  }

  #stop(): void {
    if (this.#stopped) return
    this.#stopped = true
    this.stopReading()
  }

  /** Tells what waits, in its order, for as long as it is wanted. */
  #flow(): void {
    const owner = this.#owner
    while (this.#kept.length > 0 && this.#isWantedBy(owner)) owner?.data(this.#kept.shift()!)
    if (!this.#isWantedBy(owner)) return
    if (this.#closed !== 'not') return void this.#tellOver()
    if (this.#ended !== 'not') return void this.#tellEnd()
    this.#stopped = false
    this.startReading()
  }

  #isWantedBy(owner: ConnHandlers | undefined): boolean {
    return this.#owner === owner && !this.#paused
  }

  #tellEnd(): void {
    if (this.#ended !== 'untold') return
    this.#ended = 'told'
    this.#owner?.end()
  }

  #tellOver(): void {
    this.#tellEnd()
    if (this.#closed !== 'untold' || !this.#owner) return
    this.#closed = 'told'
    this.#owner.close(this.#broken)
  }
}
