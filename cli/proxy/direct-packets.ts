import { isIP, isIPv6 } from 'node:net'
import type { Target } from '../../tunnel/frames/address.ts'
import type { Packet } from '../../tunnel/frames/packet.ts'
import { ipv6Bytes, ipv6Text } from '../../tunnel/ipv6.ts'

/** Addresses remembered an association, as at an exit: only they may answer. */
const mostPeers = 1_024

/**
 * Sends an association's packets from this machine, where a rule says so, and gives what comes back from whom they
 * went to. Addresses only: a client that names a host wants it resolved elsewhere.
 */
export function directPackets(
  signal: AbortSignal,
  onPacket: (packet: Packet) => void,
): (packet: Packet) => void {
  const sockets = new Map<number, Promise<Bun.udp.Socket<'buffer'>>>()
  const peers = new Set<string>()
  const remember = (peer: string) => {
    // Anew at the end: the one not sent to for longest makes room.
    peers.delete(peer)
    peers.add(peer)
    const [oldest] = peers
    if (peers.size > mostPeers && oldest !== undefined) peers.delete(oldest)
  }
  const open = async (family: number) => {
    const opened = await Bun.udpSocket({
      hostname: family === 6 ? '::' : '0.0.0.0',
      socket: {
        data(_socket, data, port, host) {
          if (peers.has(peerKey({ host, port }))) onPacket({ target: { host, port }, data })
        },
        error() {},
      },
    })
    if (signal.aborted) opened.close()
    else signal.addEventListener('abort', () => opened.close(), { once: true })
    return opened
  }
  return async ({ target, data }) => {
    const family = isIP(target.host)
    if (family === 0) return
    const bytes = new Uint8Array(data)
    const socket = sockets.get(family) ?? open(family)
    sockets.set(family, socket)
    try {
      const sender = await socket
      remember(peerKey(target))
      sender.send(bytes, target.port, target.host)
    } catch {
      // An address that cannot be reached: the packet is lost.
    }
  }
}

// --- internal ---

/** The same for all spellings of an address: a client's may not be the system's. */
const peerKey = ({ host, port }: Target) => `${isIPv6(host) ? ipv6Text(ipv6Bytes(host)) : host} ${port}`
