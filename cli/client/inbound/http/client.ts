import { Agent, type ClientRequestArgs, type ServerResponse } from 'node:http'
import { closeAfterWrite } from '../../../../tunnel/net/close-after-write.ts'
import type { Conn, Detach } from '../../../../tunnel/net/conn.ts'
import { relay } from '../../../../tunnel/session/relay.ts'
import type { Connect } from '../../outbound/connect.ts'
import type { Requester } from '../../outbound/outbound.ts'
import { ConnDuplex } from './conn-duplex.ts'
import { type HttpProblem, problemBytes } from './problem.ts'

/** An idle connection to a server is kept for the client's next request this long. Milliseconds. */
const keptIdleMs = 15_000
const maxKept = 4

/** One client of the HTTP listener, and what is open for it. Nothing of it is shared with other clients. */
export class HttpClient {
  /** The client's connection as node:http has it. */
  readonly duplex = new ConnDuplex()
  /** Requests that wait for their turn or are being answered. */
  pending = 0
  /** Ends when all requests so far have been answered: they are served in their order. */
  turn: Promise<void> = Promise.resolve()
  /** The answer to the request that came last. */
  latest: ServerResponse | undefined

  readonly #conn: Conn
  /** Takes the connection back from node:http. */
  readonly #letGo: Detach
  readonly #gone = new AbortController()
  #agent: OutboundAgent | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #taken = false

  constructor(conn: Conn) {
    this.#conn = conn
    this.#letGo = relay(conn, this.duplex.conn)
    // Also when both had said their ends: what was not read of the client is of no use to anybody now.
    conn.gone.addEventListener('abort', () => {
      this.duplex.destroy()
      if (this.#taken) this.#leave()
    })
    this.duplex.on('error', () => {})
    this.duplex.on('close', () => {
      if (!this.#taken) this.#leave()
    })
  }

  /** Aborted when the client is gone. */
  get signal(): AbortSignal {
    return this.#gone.signal
  }

  /** Calls `late` when the client lets so many milliseconds pass; undefined: it may take its time. */
  expect(ms: number | undefined, late: () => void = () => {}): void {
    clearTimeout(this.#timer)
    this.#timer = ms === undefined || this.signal.aborted ? undefined : setTimeout(late, ms)
  }

  /** Its connections to servers, for one user name; `fresh` drops those that are kept. */
  agent(connect: Connect, user: string | undefined, fresh = false): Agent {
    if (fresh || this.#agent?.user !== user) this.#agent?.destroy()
    else if (this.#agent) return this.#agent
    this.#agent = new OutboundAgent(connect, { user, signal: this.signal })
    return this.#agent
  }

  /**
   * Takes the connection back from node:http, with what had been read of it; undefined when answers are still on their
   * way, and there is nothing to do but to end it.
   */
  take(head: Uint8Array): Conn | undefined {
    if (!this.#unanswered() || this.duplex.writableLength > 0 || this.duplex.destroyed) {
      this.duplex.destroy()
      return undefined
    }
    this.#taken = true
    this.expect(undefined)
    const rest: Uint8Array[] = [head]
    for (let chunk = this.duplex.read(); chunk !== null; chunk = this.duplex.read()) rest.push(chunk)
    // Nothing that becomes of the stream concerns the connection any more.
    this.#letGo(Buffer.concat(rest))
    this.duplex.destroy()
    return this.#conn
  }

  /** Says why, past node:http, and ends the connection. */
  dismiss(problem: HttpProblem): void {
    const conn = this.take(Buffer.alloc(0))
    if (conn) closeAfterWrite(conn, problemBytes(problem))
  }

  /** Nothing has been promised yet: there is no request, or one that is still arriving. */
  #unanswered(): boolean {
    if (this.pending === 0) return true
    return this.pending === 1 && this.latest?.headersSent === false && !this.latest.req.complete
  }

  #leave(): void {
    this.expect(undefined)
    this.#agent?.destroy()
    this.#gone.abort()
  }
}

// --- internal ---

/** Keeps connections to servers for one client, made by whichever outbound. */
class OutboundAgent extends Agent {
  readonly user: string | undefined
  readonly #connect: Connect
  readonly #requester: Requester
  readonly #open = new Set<ConnDuplex>()

  constructor(connect: Connect, requester: Requester) {
    super({ keepAlive: true, maxFreeSockets: maxKept, timeout: keptIdleMs })
    this.user = requester.user
    this.#connect = connect
    this.#requester = requester
  }

  override createConnection(
    { host, port }: ClientRequestArgs,
    callback?: (error: Error | null, stream: ConnDuplex) => void,
  ): undefined {
    const stream = new ConnDuplex()
    this.#open.add(stream)
    stream.on('close', () => this.#open.delete(stream))
    this.#connect({ host: String(host), port: Number(port) }, this.#requester).then(
      connected => {
        connected.carry(stream.conn)
        callback?.(null, stream)
      },
      (error: Error) => {
        this.#open.delete(stream)
        callback?.(error, stream)
      },
    )
  }

  /** Ends them all, also those that node:http has let go of. */
  override destroy(): void {
    // Those at rest are left in good order.
    for (const stream of Object.values(this.freeSockets).flat()) stream?.destroySoon()
    super.destroy()
    for (const stream of this.#open) stream.destroy()
  }
}
