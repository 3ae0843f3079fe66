import { defaultLingerMs } from '../net/conn.ts'
import { OwnedConn } from '../net/owned-conn.ts'
import { keepUntilReleased, release } from '../net/read-buffer.ts'
import {
  type EngineConnection,
  type EngineTargets,
  type Leftover,
  type Parting,
  streamEnded,
  streamGone,
} from './engine-connection.ts'

/** What a stream needs of its connection. */
export interface StreamHost {
  readonly engine: EngineConnection
  /** Both directions are over. */
  forget(stream: QuicStream): void
  /**
   * Tells the peer that the stream breaks off behind so many bytes, an end counted as one. False when that cannot be
   * told now, and there is only a reset.
   */
  tellBreak(stream: number, at: number): boolean
  /** Tells the peer that its break was reached, where a reset cannot: this end has ended already. */
  tellOver(stream: number): void
}

/** What a stream delivers before the others get their turn. Bytes. */
const chunkSize = 64 * 1024

/**
 * A bidirectional QUIC stream as a connection. It is read only while somebody takes what comes, into buffers that are
 * used again. A reset (RESET_STREAM, RFC 9000, section 19.4) throws away what it overtakes: so a break is told on the
 * control stream, with the place in this one where it is.
 */
export class QuicStream extends OwnedConn {
  /** Something has come from the peer. */
  heard = false
  /** It was broken, by whomever, or lost. */
  aborted = false
  readonly #host: StreamHost
  /** Bytes that were read, and that the engine has taken; an end counts as one. */
  #read = 0
  #written = 0
  #readOver = false
  #finished = false
  /** The peer takes nothing more. What it has sent is still read. */
  #refused = false
  #over = false
  /** Where the peer breaks off. */
  #breakAt = Number.POSITIVE_INFINITY
  /** What the engine has not taken yet. */
  #rest: Uint8Array | undefined
  /** What becomes of the stream behind what was written. */
  #then: 'open' | 'end' | 'break' = 'open'
  /** The buffer that a paused owner may have kept. */
  #lent: Uint8Array | undefined
  #limit: ReturnType<typeof setTimeout> | undefined
  /** The engine carries the stream to one of its targets. */
  #joined: EngineTargets | undefined

  constructor(
    readonly id: number,
    host: StreamHost,
  ) {
    super()
    this.#host = host
  }

  get full(): boolean {
    return this.#rest !== undefined
  }

  write(chunk: Uint8Array): boolean {
    if (this.#refused || this.#over || this.#then !== 'open') return true
    // Whoever writes without room: nothing is lost or changes places.
    const taken = this.#rest ? 0 : this.#offer(chunk)
    if (taken === chunk.length) return true
    const rest = chunk.subarray(taken)
    const waiting = this.#rest
    this.#rest = waiting ? Buffer.concat([waiting, rest]) : keepUntilReleased(rest)
    if (waiting) release(waiting)
    return false
  }

  end(): void {
    if (this.#then !== 'open') return
    this.#then = 'end'
    if (!this.#rest) this.#finish()
  }

  abort(lingerMs = defaultLingerMs): void {
    if (this.#joined) return void this.#joined.part(this.id)
    if (this.#over || (this.#then === 'break' && lingerMs > 0)) return
    this.aborted = true
    this.pause()
    clearTimeout(this.#limit)
    if (lingerMs <= 0 || this.#refused || (this.#written === 0 && !this.#rest)) return void this.#reset()
    this.#then = 'break'
    this.#limit = setTimeout(() => this.#reset(), lingerMs)
    this.#limit.unref()
    if (!this.#rest) this.#break()
    this.onReadable()
  }

  override resume(): void {
    if (this.#lent) giveBack(this.#lent)
    this.#lent = undefined
    super.resume()
  }

  /**
   * Has the engine carry the stream to one of its targets, which is connected: bytes, ends and breaks. Nobody may own the
   * stream. `hungUp` is called once the target is closed.
   */
  joinTarget(targets: EngineTargets, target: number, hungUp: () => void): void {
    if (this.#over) {
      targets.hangUp(target)
      return void hungUp()
    }
    this.#joined = targets
    const down = this.#rest ?? nothing
    const before = { up: this.takeKept(), down, ended: this.#readOver }
    if (this.#readOver) this.#read--
    targets.join(this.id, target, before, { parted: how => this.#part(targets, how), hungUp })
    this.#dropRest()
    this.#breakThere()
  }

  // --- what the connection calls ---

  /** There is something to read. */
  onReadable(): void {
    if (this.#joined) return
    while (this.#isRead && !this.#readOver && !this.#over) {
      const read = this.#readChunk()
      if (read === 0) return
      // There may be more: the others get their turn.
      if (read === chunkSize) return void this.#host.engine.readLater(this.id)
    }
  }

  /** The engine may take more. */
  onWritable(): void {
    const rest = this.#rest
    if (!rest) return
    const taken = this.#offer(rest)
    if (this.#over) return
    if (taken < rest.length) {
      this.#rest = rest.subarray(taken)
      return
    }
    this.#dropRest()
    if (this.#then === 'end') this.#finish()
    else if (this.#then === 'break') this.#break()
    this.drained()
  }

  /** The peer may have given up one direction or both. */
  onGone(): void {
    if (this.#joined) return
    if (!this.#over && !this.#finished) this.#offer(nothing)
    this.onReadable()
  }

  /** The peer breaks off behind so many bytes, an end counted as one. */
  breakAt(at: number): void {
    this.#breakAt = at
    this.#breakThere()
  }

  /** The connection is gone: like a reset, with nobody left to tell. */
  lost(): void {
    this.aborted = true
    this.#letGo(true)
  }

  protected stopReading(): void {}

  protected startReading(): void {
    // An owner that went without a `resume` may have left it anywhere.
    this.#lent = undefined
    this.onReadable()
  }

  // --- internal ---

  /** Somebody takes what comes; or nobody wants it any more, and it is the peer's reset that is waited for. */
  get #isRead(): boolean {
    return this.flowing || this.#then === 'break'
  }

  /** Reads a chunk, and gives its length; 0 when there is none now. */
  #readChunk(): number {
    const buffer = spare.pop() ?? new Uint8Array(chunkSize)
    const read = this.#host.engine.read(this.id, buffer)
    if (read !== 0) this.heard = true
    if (read <= 0) {
      giveBack(buffer)
      if (read === streamEnded) this.#endRead()
      else if (read === streamGone) this.#giveUp()
      return 0
    }
    if (this.#then === 'break') {
      giveBack(buffer)
      return read
    }
    this.#read += read
    this.received(read === chunkSize ? buffer : buffer.subarray(0, read))
    // Only a pause says that somebody has kept it: who has let go of the stream has copied what it needs.
    if (this.paused) this.#lent = buffer
    else giveBack(buffer)
    this.#breakThere()
    return read
  }

  #endRead(): void {
    this.#read++
    this.#readOver = true
    // Only word of the peer's can say that it has read what we said.
    if (this.#then === 'break') return
    this.ended()
    this.#breakThere()
    if (this.#refused) this.#giveUp()
    this.#settle()
  }

  /** Gives bytes to the engine: how many it has taken, all when they are lost. */
  #offer(chunk: Uint8Array): number {
    const taken = this.#host.engine.write(this.id, chunk)
    if (taken === streamGone) {
      this.#refuse()
      return chunk.length
    }
    this.#written += taken
    return taken
  }

  #refuse(): void {
    this.#refused = true
    // Without that the engine would wait for more of ours.
    this.#host.engine.reset(this.id, noError)
    if (this.#readOver || this.#then === 'break') this.#giveUp()
  }

  #finish(): void {
    this.#finished = true
    this.#written++
    this.#host.engine.finish(this.id)
    this.#settle()
  }

  #break(): void {
    if (!this.#host.tellBreak(this.id, this.#written)) this.#reset()
  }

  #breakThere(): void {
    if (this.#joined) {
      if (this.#breakAt < Number.POSITIVE_INFINITY) this.#joined.breakAt(this.id, this.#breakAt - this.#read)
      return
    }
    if (this.#read < this.#breakAt || this.#over) return
    if (this.#finished) this.#host.tellOver(this.id)
    this.#giveUp()
  }

  /** The engine has done with the stream. */
  #part(targets: EngineTargets, how: Parting): void {
    this.#joined = undefined
    const left = how === 'target-broke' ? targets.leftover(this.id) : undefined
    if (this.#over) return
    if (left) return void this.#takeBack(left)
    if (how === 'complete') return void this.#letGo(false)
    this.aborted = true
    if (how === 'stream-gone-finished' && this.#breakAt < Number.POSITIVE_INFINITY)
      this.#host.tellOver(this.id)
    this.#letGo(true)
  }

  /** Goes on where the engine has left it, and tells the peer of the break. */
  #takeBack({ read, written, ended, finished }: Leftover): void {
    this.#read += read
    this.#written += written
    this.#readOver = ended
    this.#finished = finished
    this.abort()
  }

  #giveUp(): void {
    this.aborted = true
    this.#reset()
  }

  /** Both directions at once: RESET_STREAM and STOP_SENDING (RFC 9000, sections 19.4 and 19.5). */
  #reset(): void {
    if (this.#over) return
    this.#host.engine.reset(this.id, noError)
    this.#host.engine.stop(this.id, noError)
    this.#letGo(true)
  }

  #dropRest(): void {
    if (this.#rest) release(this.#rest)
    this.#rest = undefined
  }

  #settle(): void {
    if (this.#readOver && this.#finished && this.#then === 'end') this.#letGo(false)
  }

  #letGo(broken: boolean): void {
    if (this.#over) return
    this.#over = true
    this.#dropRest()
    clearTimeout(this.#limit)
    this.#host.forget(this)
    // Never from within a call of the owner's.
    queueMicrotask(() => this.over(broken))
  }
}

const noError = 0
const nothing = new Uint8Array()

const spare: Uint8Array[] = []
const maxSpare = 32

function giveBack(buffer: Uint8Array): void {
  if (spare.length < maxSpare) spare.push(buffer)
}
