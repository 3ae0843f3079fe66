import type { Endpoint } from '../../net/endpoint.ts'
import { openUdpSocket } from '../../net/udp/open.ts'

const loopback = '127.0.0.1'

/**
 * A second way out of a socket that an engine owns: what the engine sends to the bridge goes on by whatever way the
 * bridge is given, a relay or another socket. Loopback UDP, so that every engine can use it; what does not fit into a
 * socket's buffer is lost, as it would be on the network.
 */
export interface Bridge {
  /** Where the engine's socket sends to. */
  readonly local: Endpoint
  /** The way on; the bytes are valid only until it returns. */
  onward: (datagram: Uint8Array) => void
  /** Hands the engine's socket a datagram. */
  deliver(datagram: Uint8Array): void
  close(): void
}

/** Opens a bridge to the socket on this port of this machine, and nobody else's. Rejects with the system's error. */
export async function openBridge(port: number): Promise<Bridge> {
  const socket = await openUdpSocket({ address: loopback })
  const engine = { address: loopback, port }
  const bridge: Bridge = {
    local: socket.local,
    onward() {},
    deliver: datagram => socket.send(datagram, engine),
    close: () => socket.close(),
  }
  socket.onDatagram = (datagram, address, from) => {
    if (from === port && address === loopback) bridge.onward(datagram)
  }
  return bridge
}
