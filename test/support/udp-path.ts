import { createSocket, type Socket } from 'node:dgram'
import { promisify } from 'node:util'
import type { Endpoint } from '../../tunnel/net/endpoint.ts'

// What lies between two UDP sockets, where a test can get at it, whatever made them.

export type Side = 'client' | 'exit'

export interface UdpPath {
  /** Where each end sends to, in the place of the other. */
  readonly peerOf: Record<Side, Endpoint>
  /** Whether a packet arrives; all do by default. */
  passes: (packet: Uint8Array, to: Side) => boolean
  /** A packet that seems to come from the other end. */
  inject(packet: Uint8Array, to: Side): void
  close(): void
}

const host = '127.0.0.1'

/** Carries packets between two ends of loopback. */
export async function openUdpPath(ends: Record<Side, Endpoint>): Promise<UdpPath> {
  const open = async (): Promise<Socket> => {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 })
    await promisify<number, string>(socket.bind.bind(socket))(0, host)
    return socket
  }
  /** By side: what that end knows as the other. */
  const sockets = { client: await open(), exit: await open() }
  const path: UdpPath = {
    peerOf: {
      client: { address: host, port: sockets.client.address().port },
      exit: { address: host, port: sockets.exit.address().port },
    },
    passes: () => true,
    inject: (packet, to) => sockets[to].send(packet, ends[to].port, ends[to].address),
    close() {
      sockets.client.close()
      sockets.exit.close()
    },
  }
  const carry = (from: Side, to: Side) =>
    sockets[from].on('message', packet => {
      if (path.passes(packet, to)) path.inject(packet, to)
    })
  carry('client', 'exit')
  carry('exit', 'client')
  return path
}
