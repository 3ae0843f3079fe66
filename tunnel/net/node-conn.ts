import { connect, type NetConnectOpts, type Socket } from 'node:net'
import type { Conn } from './conn.ts'

/** Every socket reads into this one: the runtime hands over a read before it begins the next. */
const readBuffer = Buffer.alloc(16 * 1024)

/** A TCP connection by node:net, reading without an allocation per read, and writing with the kernel's word on what it took. */
export function dialConn(options: NetConnectOpts): { conn: Conn; socket: Socket } {
  const conn: Conn = {
    onData() {},
    onEnd() {},
    onDrain() {},
    onClose() {},
    write(chunk) {
      if (socket.destroyed) return true
      socket.write(chunk)
      // Node tries the system call at once: with nothing left to write, the buffer is free again.
      return socket.writableLength === 0
    },
    end: () => socket.end(),
    abort: () => socket.resetAndDestroy(),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
  }
  // Duplex's own option, which the types of connect leave out.
  const settings: NetConnectOpts & { writableHighWaterMark: number } = {
    ...options,
    allowHalfOpen: true,
    noDelay: true,
    // 'drain' comes only after a write that reached this mark: any chunk that had to wait is to be told of.
    writableHighWaterMark: 1,
    onread: {
      buffer: readBuffer,
      callback(length, buffer) {
        conn.onData(length === buffer.length ? buffer : buffer.subarray(0, length))
        return true
      },
    },
  }
  const socket = connect(settings)
  socket.on('end', () => conn.onEnd())
  socket.on('drain', () => conn.onDrain())
  socket.on('close', () => conn.onClose())
  return { conn, socket }
}
