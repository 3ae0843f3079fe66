import { connect, type Socket } from 'node:net'
import type { Endpoint } from '../../../tunnel/net/endpoint.ts'

export interface Opened {
  socket: Socket
  /** Called with the number of bytes of each read; false pauses the socket. The bytes are in `readBuffer`. */
  onRead: (length: number) => boolean
}

/** All sockets read into this one: a read is looked at before the next begins. */
export const readBuffer: Buffer = Buffer.alloc(256 * 1024)

const greeting = Buffer.of(5, 1, 0)
const greetingReply = 2
/** VER, REP, RSV, ATYP, an IPv4 address, a port. */
const connectReply = 10

/** Connects to a target, through a SOCKS5 proxy (RFC 1928) when there is one. */
export function open(target: Endpoint, proxy: Endpoint | undefined): Promise<Opened> {
  return new Promise((resolve, reject) => {
    const opened: Opened = { socket: connectTo(proxy ?? target), onRead: () => true }
    const { socket } = opened
    const done = () => {
      socket.off('close', lost)
      resolve(opened)
    }
    const lost = () => reject(new Error('the connection was closed'))
    socket.once('close', lost)
    if (proxy === undefined) return void socket.once('connect', done)

    socket.once('connect', () => socket.write(greeting))
    let heard = 0
    opened.onRead = length => {
      if (heard === 0) socket.write(connectRequest(target))
      const refused = heard === greetingReply && readBuffer[1] !== 0
      heard += length
      if (refused) socket.destroy()
      else if (heard >= greetingReply + connectReply) done()
      return true
    }

    function connectTo({ address, port }: Endpoint): Socket {
      return connect({
        host: address,
        port,
        noDelay: true,
        onread: { buffer: readBuffer, callback: length => opened.onRead(length) },
      }).on('error', () => {})
    }
  })
}

// --- internal ---

const connectRequest = ({ address, port }: Endpoint) =>
  Buffer.of(5, 1, 0, 1, ...address.split('.').map(Number), port >> 8, port & 0xff)
