import { isIP } from 'node:net'
import { BoundedMap } from '../../../../tunnel/net/bounded-map.ts'
import { giveUpIdlest, type Idler } from '../../../../tunnel/net/idlest.ts'
import { growReceiveBuffer } from '../../../../tunnel/net/udp/receive-buffer.ts'
import type { Target } from '../../../../tunnel/session/frames/address.ts'
import { decodePacket, encodePacket, type Packet } from '../../../../tunnel/session/frames/packet.ts'
import type { Accounts } from '../../accounts/accounts.ts'
import type { Login } from '../../accounts/login.ts'
import type { Exits } from '../../fleet/exits.ts'
import { nextConnection, tellNotMade } from '../../outbound/connection-tracker.ts'
import { directPackets } from '../../outbound/direct-packets.ts'
import { leaseFor } from '../../outbound/metered.ts'
import type { Gate } from '../../outbound/outbound.ts'
import { outboundFor, type Rule } from '../../outbound/rules.ts'
import { TargetError } from '../../outbound/target-errors.ts'
import { tunnelPackets } from '../../outbound/tunnel-packets.ts'
import type { Events, OutboundName } from '../../stats/events.ts'
import { Places } from '../places.ts'
import { noAssociation } from '../rejection.ts'
import { plainAddress, type Source, sourceOf } from '../source.ts'

export interface AssociateOptions {
  exits: Exits
  /** As they are at the moment. */
  rules: () => readonly Rule[]
  events: Events
  gate?: Gate | undefined
  accounts: Accounts
  /** Associations of all clients together: for more, idle ones give way. */
  max: number
  /** How long one must have been idle for that. Milliseconds. */
  idleMs: number
}

/** Who wants an association, and where it ends. */
export interface Associated {
  /** The address that its TCP connection comes from: only that one may use it. */
  client: string
  /** This end's address of that connection, which the packets go to as well. */
  local: string
  /** Where the request says that its packets will come from; zeros where the client does not know yet. */
  from: Target
  /** Who logged in, parameters and all, and whose login it was. */
  user?: string | undefined
  login?: Login | undefined
  /** Aborted when the TCP connection is gone, and with it the association (RFC 1928, section 7). */
  signal: AbortSignal
  /** Ends the association, and its TCP connection. */
  giveUp(): void
}

/** Opens an association and gives the address that its packets go to. Rejects with an OutboundError. */
export type Associate = (association: Associated) => Promise<Target>

/** RSV and FRAG (RFC 1928, section 7). */
const headerLength = 3
/** Targets whose packets are lost are told once each, an association, and so many of them. */
const maxTold = 64

/** UDP for SOCKS5 clients: packets in and out of a local socket, carried by an exit, or straight where a rule says so. */
export function associator({
  exits,
  rules,
  events,
  gate,
  accounts,
  max,
  idleMs,
}: AssociateOptions): Associate {
  const places = new Places(max)
  const open = new Set<Idler & { source: Source }>()

  /** Throws a TargetError when there is no room, and nothing idle that could give way. */
  const takePlace = (source: Source) => {
    const full = places.full(source)
    const rivals = [...open].filter(
      ({ source: { here, name } }) => full === 'all' || (full === 'elsewhere' ? !here : name === source.name),
    )
    if (full && !giveUpIdlest(rivals, idleMs)) {
      events.emit({ type: 'client.rejected', protocol: 'socks5', ...noAssociation(full, places, source) })
      throw new TargetError('E_ASSOCIATIONS_FULL', source.name)
    }
    return places.take(source)
  }

  return async ({ from, user, login, signal, giveUp, ...addresses }) => {
    // An IPv4 client of a listener for both families expects an IPv4 address to send to.
    const client = plainAddress(addresses.client)
    const local = plainAddress(addresses.local)
    const source = sourceOf(client, () => local)
    gate?.({ user, login, signal })
    const lease = login && leaseFor(accounts, login, giveUp)
    let giveBack: () => void
    try {
      giveBack = takePlace(source)
    } catch (error) {
      lease?.end()
      throw error
    }
    const idler = { source, usedAt: performance.now(), giveUp }
    open.add(idler)
    const leave = () => {
      open.delete(idler)
      giveBack()
      lease?.end()
    }
    signal.addEventListener('abort', leave, { once: true })
    let port = portOf(from, client)
    const toClient = ({ target, data }: Packet) => {
      if (port === undefined || signal.aborted) return
      if (lease?.packet('down', data.length) === false) return
      idler.usedAt = performance.now()
      socket.send(Buffer.concat([Buffer.alloc(headerLength), encodePacket({ target, data })]), port, client)
    }
    const tell = lossTeller(events, login)
    const onLost = (target: Target, error: unknown) => tell(target, 'tunnel', error)
    const tunnel = tunnelPackets({ exits, events, user, login, signal, onPacket: toClient, onLost })
    const direct = directPackets({ events, login, signal, onPacket: toClient })
    const socket = await Bun.udpSocket({
      hostname: local,
      port: 0,
      socket: {
        data(_socket, bytes, fromPort, fromAddress) {
          if (fromAddress !== client || (port !== undefined && fromPort !== port)) return
          const packet = readPacket(bytes)
          if (!packet) return
          port ??= fromPort
          idler.usedAt = performance.now()
          const { target } = packet
          const outbound = outboundFor(rules(), target)
          if (outbound !== 'block' && lease?.packet('up', packet.data.length) === false) return
          if (outbound === 'tunnel') tunnel(packet)
          else if (outbound === 'direct') direct(packet)
          else tell(target, 'block', new TargetError('E_TARGET_BLOCKED', target.host))
        },
        error() {},
      },
    })
    if ('fd' in socket && typeof socket.fd === 'number') await growReceiveBuffer(socket.fd)
    if (signal.aborted) socket.close()
    else signal.addEventListener('abort', () => socket.close(), { once: true })
    return { host: local, port: socket.port }
  }
}

// --- internal ---

/** Tells the events of packets that are lost, once a target. */
function lossTeller(events: Events, login: Login | undefined) {
  const told = new BoundedMap<string, true>(maxTold)
  return ({ host, port }: Target, outbound: OutboundName, error: unknown) => {
    const target = `${host}:${port}`
    if (told.has(target)) return
    told.set(target, true)
    const connection = nextConnection()
    tellNotMade(events, { connection, outbound, target, user: login?.user }, error)
  }
}

/**
 * The one port that may use an association; undefined: the port of the first packet. An address of another machine
 * than the request came from is one before a translation, and so is its port.
 */
function portOf({ host, port }: Target, client: string): number | undefined {
  if (port === 0) return undefined
  const named = plainAddress(host)
  return isIP(host) === 0 || unspecified.has(named) || named === client ? port : undefined
}

const unspecified = new Set(['0.0.0.0', '::'])

/** A client's packet; undefined for a fragment, which a relay may drop (RFC 1928, section 7), and for what is malformed. */
function readPacket(bytes: Uint8Array): Packet | undefined {
  if (bytes.length < headerLength || bytes[2] !== 0) return undefined
  try {
    return decodePacket(bytes.subarray(headerLength))
  } catch {
    return undefined
  }
}
