import { BoundedMap } from '../../net/bounded-map.ts'
import { loginOf, longTermKey, type TurnCredentials } from './credentials.ts'
import { refusal, TurnError } from './error.ts'
import {
  type Authentication,
  type Method,
  parseTurn,
  type RequestFields,
  type TurnMessage,
  turnRequest,
} from './message.ts'
import { silent, type Transport } from './transport.ts'

/** First retransmission over UDP, doubled each time (RFC 8489, section 6.2.1). */
const retransmitMs = 250
/** Requests are repeated with a new nonce so many times. */
const maxAttempts = 3
/** Realms and nonces are no longer (RFC 8489, sections 14.9 and 14.10). Bytes. */
const maxRealm = 763

/** Transactions with a server, under long-term credentials (RFC 8489, section 9.2). */
export class Requests {
  readonly server: string
  readonly #transport: Transport
  readonly #credentials: TurnCredentials
  readonly #limitMs: number
  readonly #pending = new BoundedMap<string, Pending>(64)
  #authentication: Authentication | undefined

  constructor(transport: Transport, server: string, credentials: TurnCredentials, limitMs: number) {
    this.server = server
    this.#transport = transport
    this.#credentials = credentials
    this.#limitMs = limitMs
    transport.onMessage = bytes => {
      const message = parseTurn(bytes)
      if (message && message.kind !== 'data') this.receive(message)
    }
    transport.onBroken = error => this.#failAll(error)
  }

  /** Asks until it is answered or the limit is over; the first refusal names the realm and the nonce. Throws a TurnError. */
  async ask(method: Method, fields: RequestFields): Promise<TurnMessage> {
    const until = performance.now() + this.#limitMs
    for (let attempt = 1; ; attempt++) {
      const by = this.#authentication
      const answer = await this.#transact(method, fields, by, until - performance.now())
      if (answer.kind === 'success') return answer
      const { code = 0, reason = '' } = answer.error ?? {}
      const isNew = code === 401 ? by === undefined : code === 438
      if (!isNew || attempt === maxAttempts || !this.#learn(answer)) throw refusal(this.server, code, reason)
    }
  }

  /** Sends a request whose answer nobody waits for. */
  tell(method: Method, fields: RequestFields): void {
    this.#transport.send(turnRequest(method, fields, this.#authentication).message, true)
  }

  receive(message: TurnMessage): void {
    const pending = this.#pending.get(message.transactionId)
    if (!pending) return
    // What answers a signed request is signed too, but for a refusal of the very credentials.
    if (message.kind === 'success' && pending.key && !message.authentic(pending.key)) return
    this.#pending.delete(message.transactionId)
    pending.settle(message)
  }

  close(): void {
    this.#failAll(new TurnError('E_TURN_LOST', this.server, 'is no longer asked'))
  }

  // --- internal ---

  #failAll(error: unknown): void {
    for (const { fail } of [...this.#pending.values()]) fail(error)
    this.#pending.clear()
  }

  /** Takes the realm and nonce of a refusal. False when there is none. */
  #learn({ realm = this.#authentication?.realm, nonce }: TurnMessage): boolean {
    if (!realm || !nonce || realm.length > maxRealm || nonce.length > maxRealm) return false
    const login = loginOf(this.#credentials, Date.now())
    const key = longTermKey(login, realm.toString())
    this.#authentication = { username: login.username, realm, nonce, key }
    return true
  }

  #transact(
    method: Method,
    fields: RequestFields,
    by: Authentication | undefined,
    limitMs: number,
  ): Promise<TurnMessage> {
    const { message, transactionId } = turnRequest(method, fields, by)
    const { promise, resolve, reject } = Promise.withResolvers<TurnMessage>()
    const limit = setTimeout(() => reject(silent(this.server, this.#limitMs)), limitMs)
    let timer: ReturnType<typeof setTimeout> | undefined
    const transmit = (timeout: number) => {
      this.#transport.send(message, true)
      // Over a stream it arrives, or the stream breaks.
      if (!this.#transport.isStream) timer = setTimeout(() => transmit(timeout * 2), timeout)
    }
    this.#pending.set(transactionId, { key: by?.key, settle: resolve, fail: reject })
    transmit(retransmitMs)
    return promise.finally(() => {
      clearTimeout(limit)
      clearTimeout(timer)
      this.#pending.delete(transactionId)
    })
  }
}

// --- internal ---

interface Pending {
  key: Buffer | undefined
  settle(message: TurnMessage): void
  fail(error: unknown): void
}
