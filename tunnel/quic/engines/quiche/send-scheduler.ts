export interface SendSchedulerOptions {
  /** Reads what has come. True when an acknowledgement of it may wait. */
  read(): boolean
  /** Sends what there is to send. True when there is more. */
  send(): boolean
}

/**
 * What is only an acknowledgement or a window's update waits so long for something to go along with, unless so
 * many packets have come (RFC 9000, section 13.2). Milliseconds: a twenty-fifth of what the peer allows for.
 */
const acknowledgeWithinMs = 1
const acknowledgeEvery = 8

/** When the loop of a connection takes its turn: at most once a turn of the event loop, and whether it sends then. */
export class SendScheduler {
  readonly #options: SendSchedulerOptions
  #scheduled = false
  #reading = false
  /** There is something to send that may not wait. */
  #due = false
  /** There is something to send that may. */
  #owed = false
  #finDue = false
  #timer: ReturnType<typeof setTimeout> | undefined
  /** Packets that came since the last that went. */
  #unanswered = 0
  #over = false

  constructor(options: SendSchedulerOptions) {
    this.#options = options
  }

  /** A packet came. */
  heard(): void {
    this.#unanswered++
    this.#owed = true
    this.again()
  }

  /** There is something to send. */
  wake(): void {
    this.#due = true
    // The turn that is being taken sends in the end.
    if (!this.#reading) this.again()
  }

  /** There is something to send that may wait for a moment. */
  scheduleAck(): void {
    this.#owed = true
    if (!this.#reading) this.#waitForMore()
  }

  /** There is more to read: one more turn. */
  again(): void {
    if (this.#scheduled || this.#over) return
    this.#scheduled = true
    setImmediate(this.#take)
  }

  /** A stream's end waits to be sent, and must be in a packet before anything more is heard or read. */
  flushFin(): void {
    this.#finDue = true
    this.wake()
  }

  /** Whether an end has been handed over since this was last asked. */
  takeFin(): boolean {
    const due = this.#finDue
    this.#finDue = false
    return due
  }

  stop(): void {
    this.#over = true
    clearTimeout(this.#timer)
  }

  // --- internal ---

  readonly #take = (): void => {
    this.#scheduled = false
    if (this.#over) return
    const mayWait = this.#read()
    if (this.#over) return
    if (mayWait && !this.#due && this.#unanswered < acknowledgeEvery) {
      this.#waitForMore()
      return
    }
    this.#due = false
    this.#owed = false
    this.#unanswered = 0
    if (this.#options.send()) this.wake()
  }

  #read(): boolean {
    this.#reading = true
    try {
      return this.#options.read()
    } finally {
      // Whatever a stream's reader threw: the connection goes on sending.
      this.#reading = false
    }
  }

  #waitForMore(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      if (this.#owed) this.wake()
    }, acknowledgeWithinMs)
  }
}
