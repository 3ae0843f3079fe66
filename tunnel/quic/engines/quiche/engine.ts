import { openUdpSocket } from '../../../net/udp/open.ts'
import { isPacketSocket } from '../../../net/udp/socket.ts'
import type { Engine } from '../../engine.ts'
import { QuicheEngineConnection } from './connection.ts'

/** quiche by @matrixai/quic's native binding, its packets sent and received by JavaScript: it needs nothing built. */
export const quicheEngine: Engine = {
  name: 'quiche',
  version: '0.18.0',
  openSocket: openUdpSocket,
  async connect(options) {
    const { socket, peer, mayMove } = options
    if (!isPacketSocket(socket)) throw new TypeError('the socket was opened by another engine')
    if (mayMove) socket.aim(peer)
    else await socket.connect(peer)
    return new QuicheEngineConnection(socket, options)
  },
}
