import type { Endpoint } from '../endpoint.ts'

/**
 * The one UDP socket of a session: STUN, connectivity checks and QUIC all use it, because the hole in
 * the NAT belongs to its port.
 */
export interface UdpSocket {
  readonly local: Endpoint
  /** The receive buffer that the system granted, where it is known. */
  readonly receiveBufferBytes?: number | undefined
  /** Called for each datagram; the bytes are valid only until it returns. */
  onDatagram: (datagram: Uint8Array, address: string, port: number) => void
  /** Sends one datagram; like every datagram it may be lost, and a full socket loses it. */
  send(datagram: Uint8Array, to: Endpoint): void
  close(): void
}

/** A socket whose packets JavaScript sends itself, many at a time. */
export interface PacketSocket extends UdpSocket {
  /** Called when a batch that was cut short may go on. */
  onDrain: () => void
  /** Fixes the peer: from here on nothing from any other address is delivered, and batches go to it. */
  connect(peer: Endpoint): Promise<void>
  /** Batches go to this peer, who may be another the next time; what others send is still delivered. */
  aim(peer: Endpoint): void
  /**
   * Sends `packets[from..count)` to the peer and returns the index of the first that was not taken.
   * A packet that the system still holds is replaced in the array, so every entry may be written again.
   */
  sendBatch(packets: Uint8Array[], lengths: number[], from: number, count: number): number
}

export interface UdpOptions {
  /** Local address, 0.0.0.0 by default. */
  address?: string
  /** Local port, any free one by default. */
  port?: number
}

export const isPacketSocket = (socket: UdpSocket): socket is PacketSocket => 'sendBatch' in socket
