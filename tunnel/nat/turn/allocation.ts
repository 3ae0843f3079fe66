import { BoundedMap } from '../../net/bounded-map.ts'
import { type Endpoint, formatEndpoint } from '../../net/endpoint.ts'
import type { UdpSocket } from '../../net/udp/socket.ts'
import { channelData, firstChannel, readChannelData } from './channel-data.ts'
import { loginOf, longTermKey, type TurnCredentials } from './credentials.ts'
import { refusal, TurnError } from './error.ts'
import {
  type Authentication,
  type Method,
  parseTurn,
  type RequestFields,
  sendTo,
  type TurnMessage,
  turnRequest,
} from './message.ts'
import { openTransport, silent, type Transport } from './transport.ts'
import { formatTurnServer, type TurnServerName } from './uri.ts'

/** What an allocation asks for, each time that it is refreshed. Seconds. */
const lifetimeSeconds = 600
/** A permission lasts 5 minutes, a channel 10 (RFC 8656, sections 9 and 12): both are renewed well before. */
const permissionMs = 120_000
/** First retransmission over UDP, doubled each time (RFC 8489, section 6.2.1). */
const retransmitMs = 250
/** Answers that a request waits for. Milliseconds. */
const requestLimitMs = 5_000
/** Peers that may be permitted: a side's addresses and a relay's. */
const maxPermitted = 4
/** Requests are repeated with a new nonce so many times. */
const maxAttempts = 3

export interface AllocateOptions {
  credentials: TurnCredentials
  ca?: string | undefined
  /** For the connection and the allocation, each. 5,000 milliseconds by default. */
  limitMs?: number | undefined
  signal?: AbortSignal | undefined
  /** How often permissions and channels are renewed, and the allocation is, too; 120,000 milliseconds by default. */
  renewMs?: number | undefined
}

/**
 * An address of a TURN server's that is ours for as long as it is open (RFC 8656): what is sent goes out from there,
 * and what permitted peers send there arrives. Like a socket, it may lose every datagram.
 */
export class Allocation implements UdpSocket {
  /** The relayed address: where peers send to. */
  readonly local: Endpoint
  onDatagram: UdpSocket['onDatagram'] = () => {}
  /** It is gone: the server refused to go on, or the connection broke. Told once. */
  onLost: (error: TurnError) => void = () => {}
  /** Datagrams that were lost here, since the stream to the server was full. */
  dropped = 0

  readonly #requests: Requests
  readonly #transport: Transport
  readonly #permitted = new Set<string>()
  readonly #channels = new Map<number, Endpoint>()
  readonly #bound = new Map<string, number>()
  readonly #timer: ReturnType<typeof setInterval>
  /** When the server forgets it unless it is refreshed, on performance.now()'s clock. */
  #expiresAt: number
  #over = false

  private constructor(transport: Transport, requests: Requests, { relayed, seconds, renewMs }: Granted) {
    this.local = relayed
    this.#expiresAt = performance.now() + seconds * 1_000
    this.#transport = transport
    this.#requests = requests
    transport.onMessage = message => this.#receive(message)
    transport.onBroken = error => this.#lose(error)
    this.#timer = setInterval(() => void this.#renew(), Math.min(renewMs, seconds * 250))
    this.#timer.unref?.()
  }

  /** Which server it is of, as a URI. */
  get server(): string {
    return this.#requests.server
  }

  /** Asks a server for an address. Throws a TurnError, or the signal's reason. */
  static async open(name: TurnServerName, options: AllocateOptions): Promise<Allocation> {
    const { credentials, ca, limitMs = requestLimitMs, renewMs = permissionMs, signal } = options
    const transport = await openTransport(name, { ca, limitMs, signal })
    const requests = new Requests(transport, formatTurnServer(name), credentials, limitMs)
    const abort = () => requests.close()
    signal?.addEventListener('abort', abort, { once: true })
    try {
      signal?.throwIfAborted()
      const granted = await requests.ask('allocate', { lifetimeSeconds })
      const { relayed, lifetimeSeconds: seconds = lifetimeSeconds } = granted
      if (!relayed) throw new TurnError('E_TURN_REFUSED', requests.server, 'named no address')
      return new Allocation(transport, requests, { relayed, seconds, renewMs })
    } catch (error) {
      requests.close()
      transport.close()
      throw signal?.aborted ? signal.reason : error
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }

  /** Lets these addresses send to the relayed one, and us to them. What the server refuses stays shut. */
  permit(addresses: readonly string[]): void {
    for (const address of addresses) if (this.#permitted.size < maxPermitted) this.#permitted.add(address)
    void this.#createPermissions()
  }

  /** What goes to this peer and comes from it needs four bytes more and no longer an indication's 36. */
  bind(peer: Endpoint): void {
    const key = formatEndpoint(peer)
    if (
      !this.#permitted.has(peer.address) ||
      [...this.#channels.values()].some(each => formatEndpoint(each) === key)
    )
      return
    const channel = firstChannel + this.#channels.size
    this.#channels.set(channel, peer)
    void this.#bindChannel(channel, peer)
  }

  send(datagram: Uint8Array, to: Endpoint): void {
    if (this.#over || !this.#permitted.has(to.address)) return
    const channel = this.#bound.get(formatEndpoint(to))
    const message =
      channel === undefined ? sendTo(to, datagram) : channelData(channel, datagram, this.#transport.isStream)
    if (!this.#transport.send(message)) this.dropped++
  }

  /** Gives the address back. */
  close(): void {
    if (this.#over) return
    this.#end()
    // Nobody waits for the answer: the server forgets the allocation by itself if this is lost.
    this.#requests.tell('refresh', { lifetimeSeconds: 0 })
    this.#transport.close()
  }

  // --- internal ---

  #receive(message: Uint8Array): void {
    if (this.#over) return
    const framed = readChannelData(message)
    if (framed) {
      const peer = this.#channels.get(framed.channel)
      if (peer) this.onDatagram(framed.datagram, peer.address, peer.port)
      return
    }
    const parsed = parseTurn(message)
    if (!parsed) return
    const { kind, peer, data } = parsed
    if (kind !== 'data') this.#requests.receive(parsed)
    // The server holds to the permissions, and so do we.
    else if (peer && data && this.#permitted.has(peer.address)) this.onDatagram(data, peer.address, peer.port)
  }

  /** A server that is silent for a moment is asked again, for as long as it keeps the allocation. */
  async #refresh(): Promise<void> {
    try {
      const { lifetimeSeconds: seconds = lifetimeSeconds } = await this.#requests.ask('refresh', {
        lifetimeSeconds,
      })
      this.#expiresAt = performance.now() + seconds * 1_000
    } catch (error) {
      const isSilent = error instanceof TurnError && error.code === 'E_TURN_UNREACHABLE'
      if (!isSilent || performance.now() > this.#expiresAt) this.#lose(error)
    }
  }

  async #renew(): Promise<void> {
    await this.#refresh()
    await this.#createPermissions()
    for (const [channel, peer] of this.#channels) await this.#bindChannel(channel, peer)
  }

  async #createPermissions(): Promise<void> {
    const peers = [...this.#permitted].map(address => ({ address, port: 0 }))
    if (peers.length > 0) await this.#requests.ask('createPermission', { peers }).catch(this.#refused)
  }

  async #bindChannel(channel: number, peer: Endpoint): Promise<void> {
    try {
      await this.#requests.ask('channelBind', { channel, peers: [peer] })
      this.#bound.set(formatEndpoint(peer), channel)
    } catch (error) {
      this.#refused(error)
    }
  }

  /** The allocation is gone with some refusals; with others indications still serve, or only this peer is shut out. */
  readonly #refused = (error: unknown): void => {
    if (error instanceof TurnError && error.code === 'E_TURN_LOST') this.#lose(error)
  }

  #lose(error: unknown): void {
    if (this.#over) return
    this.#end()
    this.#transport.close()
    this.onLost(
      error instanceof TurnError
        ? error
        : new TurnError('E_TURN_LOST', this.server, 'gave the address up', error),
    )
  }

  #end(): void {
    this.#over = true
    clearInterval(this.#timer)
    this.#requests.close()
  }
}

// --- internal ---

interface Granted {
  relayed: Endpoint
  /** Of its lifetime. */
  seconds: number
  renewMs: number
}

interface Pending {
  key: Buffer | undefined
  settle(message: TurnMessage): void
  fail(error: unknown): void
}

/** Transactions with a server, under long-term credentials (RFC 8489, section 9.2). */
class Requests {
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

  /** Asks until it is answered; the first refusal names the realm and the nonce. Throws a TurnError. */
  async ask(method: Method, fields: RequestFields): Promise<TurnMessage> {
    for (let attempt = 1; ; attempt++) {
      const by = this.#authentication
      const answer = await this.#transact(method, fields, by)
      if (answer.kind === 'success') return answer
      const { code = 0, reason = '' } = answer.error ?? {}
      const isNew = code === 401 ? by === undefined : code === 438
      if (!isNew || attempt === maxAttempts || !this.#learn(answer)) throw refusal(this.server, code, reason)
    }
  }

  /** Sends a request whose answer nobody waits for. */
  tell(method: Method, fields: RequestFields): void {
    this.#transport.send(turnRequest(method, fields, this.#authentication).message)
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

  #failAll(error: unknown): void {
    for (const { fail } of [...this.#pending.values()]) fail(error)
    this.#pending.clear()
  }

  /** Takes the realm and nonce of a refusal. False when there is none. */
  #learn({ realm = this.#authentication?.realm, nonce }: TurnMessage): boolean {
    if (!realm || !nonce) return false
    const login = loginOf(this.#credentials, Date.now())
    const key = longTermKey(login, realm.toString())
    this.#authentication = { username: login.username, realm, nonce, key }
    return true
  }

  #transact(method: Method, fields: RequestFields, by: Authentication | undefined): Promise<TurnMessage> {
    const { message, transactionId } = turnRequest(method, fields, by)
    const { promise, resolve, reject } = Promise.withResolvers<TurnMessage>()
    const limit = setTimeout(() => reject(silent(this.server, this.#limitMs)), this.#limitMs)
    let timer: ReturnType<typeof setTimeout> | undefined
    const transmit = (timeout: number) => {
      this.#transport.send(message)
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
