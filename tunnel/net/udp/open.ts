import { openBunSocket } from './bun.ts'
import { openNodeSocket } from './node.ts'
import type { PacketSocket, UdpOptions } from './socket.ts'

/** Opens an IPv4 UDP socket on whichever runtime this is. Rejects with the system's error. */
export const openUdpSocket = (options: UdpOptions = {}): Promise<PacketSocket> =>
  'Bun' in globalThis ? openBunSocket(options) : openNodeSocket(options)
