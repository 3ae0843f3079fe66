import { type Endpoint, sameEndpoint } from '../../net/endpoint.ts'
import { isUnicast4 } from '../../net/public-address.ts'
import type { UdpSocket } from '../../net/udp/socket.ts'
import { channelData, firstChannel, readChannelData } from './channel-data.ts'
import type { TurnCredentials } from './credentials.ts'
import { TurnError } from './error.ts'
import { parseTurn, sendTo } from './message.ts'
import { Requests } from './requests.ts'
import { openTransport, type Transport } from './transport.ts'
import { formatTurnServer, type TurnServerName } from './uri.ts'

/** What an allocation asks for, each time that it is refreshed. Seconds. */
const lifetimeSeconds = 600
/** A permission lasts 5 minutes, a channel 10 (RFC 8656, sections 9 and 12): both are renewed well before. */
const permissionMs = 120_000
/** Answers that a request waits for. Milliseconds. */
const requestLimitMs = 5_000
/** Peers that may be permitted: a side's addresses and a relay's. */
const maxPermitted = 4
/** An allocation is refreshed no more often than this, whatever lifetime the server names. Milliseconds. */
const minRenewMs = 1_000

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
  /** Datagrams that were lost here, since the stream to the server was full. */
  dropped = 0

  readonly #lost = new AbortController()
  readonly #requests: Requests
  readonly #transport: Transport
  readonly #permitted = new Set<string>()
  readonly #channels: Channel[] = []
  #timer: ReturnType<typeof setTimeout> | undefined
  readonly #renewMs: number | undefined
  /** When the server forgets it unless it is refreshed, on performance.now()'s clock. */
  #expiresAt: number
  #over = false

  private constructor(transport: Transport, requests: Requests, { relayed, seconds, renewMs }: Granted) {
    this.local = relayed
    this.#renewMs = renewMs
    this.#expiresAt = 0
    this.#transport = transport
    this.#requests = requests
    transport.onMessage = message => this.#receive(message)
    transport.onBroken = error => this.#lose(error)
    this.#granted(seconds)
  }

  /** Which server it is of, as a URI. */
  get server(): string {
    return this.#requests.server
  }

  /** Aborts with a TurnError when it is gone: the server refused to go on, or the connection broke. Not by `close`. */
  get lost(): AbortSignal {
    return this.#lost.signal
  }

  /** Asks a server for an address. Throws a TurnError, or the signal's reason. */
  static async open(name: TurnServerName, options: AllocateOptions): Promise<Allocation> {
    const { credentials, ca, limitMs = requestLimitMs, renewMs, signal } = options
    const transport = await openTransport(name, { ca, limitMs, signal })
    const requests = new Requests(transport, formatTurnServer(name), credentials, limitMs)
    const abort = () => requests.close()
    signal?.addEventListener('abort', abort, { once: true })
    try {
      signal?.throwIfAborted()
      const granted = await requests.ask('allocate', { lifetimeSeconds })
      const { relayed, lifetimeSeconds: seconds = lifetimeSeconds } = granted
      // A document has no place for any other, and a session that may connect directly would fail by it.
      if (!relayed || relayed.port < 1 || !isUnicast4(relayed.address))
        throw new TurnError('E_TURN_REFUSED', requests.server, 'lends no IPv4 address that can be sent to')
      return new Allocation(transport, requests, { relayed, seconds, renewMs })
    } catch (error) {
      requests.close()
      // It may have been granted, or be granted yet: over UDP the server would keep it, and count it, for its lifetime.
      requests.tell('refresh', { lifetimeSeconds: 0 })
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
    if (!this.#permitted.has(peer.address) || this.#channelTo(peer)) return
    const channel = { number: firstChannel + this.#channels.length, peer, isBound: false }
    this.#channels.push(channel)
    void this.#bindChannel(channel)
  }

  send(datagram: Uint8Array, to: Endpoint): void {
    if (this.#over || !this.#permitted.has(to.address)) return
    const channel = this.#channelTo(to)
    const message = channel?.isBound
      ? channelData(channel.number, datagram, this.#transport.isStream)
      : sendTo(to, datagram)
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
      const peer = this.#channels[framed.channel - firstChannel]?.peer
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
      this.#granted(seconds)
    } catch (error) {
      const isSilent = error instanceof TurnError && error.code === 'E_TURN_UNREACHABLE'
      if (!isSilent || performance.now() > this.#expiresAt) this.#lose(error)
      else this.#granted(Math.max(0, this.#expiresAt - performance.now()) / 1_000)
    }
  }

  /** It is ours for so long from now on, and refreshed well before. */
  #granted(seconds: number): void {
    if (this.#over) return
    this.#expiresAt = performance.now() + seconds * 1_000
    this.#timer = setTimeout(() => void this.#renew(), renewalMs(seconds, this.#renewMs))
    this.#timer.unref?.()
  }

  async #renew(): Promise<void> {
    await this.#refresh()
    if (!this.#over) await this.#createPermissions()
    for (const channel of this.#channels) if (!this.#over) await this.#bindChannel(channel)
  }

  /** All in one request, which one forbidden address makes the server refuse as a whole: then one by one. */
  async #createPermissions(): Promise<void> {
    const peers = [...this.#permitted].map(address => ({ address, port: 0 }))
    if (peers.length === 0) return
    try {
      await this.#requests.ask('createPermission', { peers })
    } catch (error) {
      this.#refused(error)
      const isForbidden = error instanceof TurnError && error.code === 'E_TURN_FORBIDDEN'
      if (!isForbidden || peers.length === 1 || this.#over) return
      const each = peers.map(peer => this.#requests.ask('createPermission', { peers: [peer] }))
      await Promise.all(each.map(asked => asked.catch(this.#refused)))
    }
  }

  #channelTo(peer: Endpoint): Channel | undefined {
    return this.#channels.find(each => sameEndpoint(each.peer, peer))
  }

  async #bindChannel(channel: Channel): Promise<void> {
    try {
      await this.#requests.ask('channelBind', { channel: channel.number, peers: [channel.peer] })
      channel.isBound = true
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
    this.#lost.abort(
      error instanceof TurnError
        ? error
        : new TurnError('E_TURN_LOST', this.server, 'gave the address up', error),
    )
  }

  #end(): void {
    this.#over = true
    clearTimeout(this.#timer)
    this.#requests.close()
  }
}

/** When an allocation is renewed that was granted for so many seconds, with its permissions. Milliseconds. */
export const renewalMs = (seconds: number, everyMs = permissionMs): number =>
  Math.min(everyMs, Math.max(minRenewMs, seconds * 250))

// --- internal ---

interface Channel {
  readonly number: number
  readonly peer: Endpoint
  /** The server has said yes. */
  isBound: boolean
}

interface Granted {
  relayed: Endpoint
  /** Of its lifetime. */
  seconds: number
  renewMs: number | undefined
}
