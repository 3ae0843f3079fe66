import { birthdayPart } from '../../tunnel/nat/ice/birthday.ts'
import { CheckList } from '../../tunnel/nat/ice/check-list.ts'
import { newIceCredentials } from '../../tunnel/nat/ice/credentials.ts'
import { type Route, routeKey } from '../../tunnel/nat/ice/route.ts'
import { parseStun } from '../../tunnel/nat/stun/message.ts'
import { type Endpoint, sameEndpoint } from '../../tunnel/net/endpoint.ts'
import { type Random, seeded } from './random.ts'

// Two check lists, each behind a NAT, on an internet of our own with a clock of our own: what takes seconds
// between two real homes is over at once, and the same every time.

export type Nat = 'full-cone' | 'address-restricted' | 'port-restricted' | 'symmetric'
export type Side = 'client' | 'function'

export interface NetworkOptions {
  client: Nat
  function: Nat
  /** Share of datagrams that are lost, 0 by default. */
  loss?: number
  /** Milliseconds from one side to the other, 20 by default. */
  latencyMs?: number
  /** Whether the sides do what they can about a symmetric NAT between them. */
  birthday?: boolean
  seed?: number
  /** True for a datagram that is to be lost, whatever `loss` says. */
  drop?: (datagram: Uint8Array, from: Side) => boolean
}

export interface SentDatagram {
  datagram: Uint8Array
  side: Side
  /** As the network sees it: the NAT's own address and port. */
  from: Endpoint
}

export interface SimulatedNetwork {
  readonly lists: Record<Side, CheckList>
  /** All that was sent so far. */
  readonly sent: SentDatagram[]
  /** Runs until both sides have nominated, or to this time. Gives the time in milliseconds. */
  run(untilMs: number): number
  /** Hands a side a datagram from anywhere, past its NAT; gives what the side sends in return. */
  inject(datagram: Uint8Array, from: Endpoint, to: Side): Uint8Array[]
  /** True when each side's nominated address leads to the other side, and is where the other side's packets come from. */
  agreed(): boolean
}

const other = (side: Side): Side => (side === 'client' ? 'function' : 'client')
const sides: Side[] = ['client', 'function']
const publicAddress = { client: '192.0.2.10', function: '198.51.100.20' }
const stunServer: Endpoint = { address: '203.0.113.1', port: 3478 }
/** What the function sends once it has nominated, as the client's QUIC end would hear it. */
const quicPacket = Buffer.alloc(1_200, 0xc0)
const quicEveryMs = 50

export function simulateNetwork(options: NetworkOptions): SimulatedNetwork {
  const { loss = 0, latencyMs = 20, birthday = false, seed = 1, drop = () => false } = options
  const random = seeded(seed)
  const nats = {
    client: simulateNat(options.client, publicAddress.client, random),
    function: simulateNat(options.function, publicAddress.function, random),
  }
  const mapping = (side: Side) =>
    options[side] === 'symmetric' ? ('address-dependent' as const) : ('endpoint-independent' as const)
  const ice = { client: newIceCredentials(), function: newIceCredentials() }
  const list = (side: Side) =>
    new CheckList(
      {
        local: ice[side],
        remote: ice[other(side)],
        candidates: [nats[other(side)].out({ ...stunServer, via: 0 })],
        controlling: side === 'client',
        birthday: birthday ? birthdayPart(mapping(side), mapping(other(side))) : undefined,
        random: random.next,
      },
      0,
    )
  const lists = { client: list('client'), function: list('function') }
  const sent: SentDatagram[] = []
  let flying: (SentDatagram & { to: Endpoint; at: number })[] = []
  let now = 0
  let quicAt = Number.POSITIVE_INFINITY

  const send = (side: Side, datagram: Uint8Array, to: Route) => {
    const from = nats[side].out(to)
    sent.push({ datagram, side, from })
    if (!drop(datagram, side) && !random.chance(loss))
      flying.push({ datagram, side, from, to, at: now + latencyMs })
  }
  const arrive = ({ datagram, side, from, to }: SentDatagram & { to: Endpoint }) => {
    const target = other(side)
    if (to.address !== publicAddress[target] || !nats[target].lets(from, to.port)) return
    const via = nats[target].socketOf(to.port)
    if (parseStun(datagram))
      for (const out of lists[target].receive(datagram, from, now, via)) send(target, out.datagram, out.to)
    else lists[target].confirm(from, via)
  }
  const step = () => {
    const due = flying.filter(({ at }) => at <= now)
    flying = flying.filter(({ at }) => at > now)
    due.forEach(arrive)
    for (const side of sides) for (const { datagram, to } of lists[side].poll(now)) send(side, datagram, to)
    const { nominated } = lists.function
    if (nominated && quicAt > now + quicEveryMs) quicAt = now
    if (nominated && quicAt <= now) {
      send('function', quicPacket, nominated)
      quicAt = now + quicEveryMs
    }
  }

  return {
    lists,
    sent,
    run(untilMs) {
      while (now < untilMs && !(lists.client.nominated && lists.function.nominated)) {
        step()
        const next = Math.min(
          quicAt,
          ...sides.map(side => lists[side].nextAt()),
          ...flying.map(({ at }) => at),
        )
        now = Math.min(untilMs, Math.max(next, now + 1))
      }
      return now
    },
    inject: (datagram, from, to) => lists[to].receive(datagram, from, now).map(out => out.datagram),
    agreed: () =>
      sides.every(side => {
        const [there, here] = [lists[side].nominated, lists[other(side)].nominated]
        return (
          there !== undefined &&
          here !== undefined &&
          there.address === publicAddress[other(side)] &&
          nats[other(side)].lets(nats[side].out(there), there.port) &&
          sameEndpoint(nats[side].out(there), here)
        )
      }),
  }
}

// --- internal ---

/** One device behind a NAT: which port its packets leave by, and which packets are let in (RFC 4787, sections 4 and 5). */
function simulateNat(kind: Nat, address: string, random: Random) {
  const ports = new Map<string, number>()
  const sockets = new Map<number, number>()
  const allowed = new Set<string>()
  const filterBy = (port: number, { address, port: remotePort }: Endpoint) =>
    kind === 'full-cone'
      ? `${port}`
      : kind === 'address-restricted'
        ? `${port} ${address}`
        : `${port} ${address}:${remotePort}`
  /** A cone's ports are easy to tell from each other, a symmetric NAT's are any of 1024 to 65535. */
  const freePort = () => {
    if (kind !== 'symmetric') return 40_000 + ports.size * 7
    for (;;) {
      const port = 1_024 + random.int(64_512)
      if (!sockets.has(port)) return port
    }
  }
  return {
    out(to: Route): Endpoint {
      const key = kind === 'symmetric' ? routeKey(to) : `${to.via}`
      const port = ports.get(key) ?? freePort()
      ports.set(key, port)
      sockets.set(port, to.via)
      allowed.add(filterBy(port, to))
      return { address, port }
    },
    lets: (from: Endpoint, port: number) => allowed.has(filterBy(port, from)),
    /** The device's socket behind a port. */
    socketOf: (port: number) => sockets.get(port) ?? 0,
  }
}
