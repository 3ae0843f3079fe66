import { dlopen, ptr } from 'bun:ffi'
import { cLibrary } from '../../tunnel/net/c-library.ts'

/** Tells systemd something of this process. */
export type Notify = (...assignments: string[]) => void

/**
 * Sends a datagram to the socket that NOTIFY_SOCKET names (sd_notify(3)). Neither Bun nor Node has datagrams over Unix
 * sockets, so the C library's own calls are used. Undefined where nobody asks to be told, or the library is not there.
 */
export function sdNotify(path = process.env.NOTIFY_SOCKET): Notify | undefined {
  if (process.platform !== 'linux' || !cLibrary || !path || !/^[/@]/.test(path)) return undefined
  const address = socketAddress(path)
  const calls = libraryCalls(cLibrary)
  if (!address || !calls) return undefined
  const { socket, sendto, close } = calls
  return (...assignments) => {
    const text = Buffer.from(assignments.join('\n'))
    const fd = socket(unixFamily, datagram | closeOnExec, 0)
    if (fd < 0) return
    // What systemd cannot take now is not worth a wait.
    sendto(fd, ptr(text), text.length, dontWait | noSignal, ptr(address), address.length)
    close(fd)
  }
}

// --- internal ---

// Of Linux's headers, the same on x86_64 and arm64.
const unixFamily = 1
const datagram = 2
const closeOnExec = 0o2000000
const dontWait = 0x40
const noSignal = 0x4000
/** struct sockaddr_un: two bytes of family, then the path. */
const maxPathBytes = 107

function libraryCalls(library: string) {
  try {
    return dlopen(library, {
      socket: { args: ['i32', 'i32', 'i32'], returns: 'i32' },
      sendto: { args: ['i32', 'ptr', 'usize', 'i32', 'ptr', 'u32'], returns: 'i64' },
      close: { args: ['i32'], returns: 'i32' },
    }).symbols
  } catch {
    return undefined
  }
}

/** An abstract socket's name begins with a zero byte, which `@` stands for; it has no zero at its end. */
function socketAddress(path: string): Buffer | undefined {
  const name = Buffer.from(path.startsWith('@') ? `\0${path.slice(1)}` : `${path}\0`)
  if (name.length > maxPathBytes + 1) return undefined
  const family = Buffer.alloc(2)
  new Uint16Array(family.buffer, family.byteOffset, 1)[0] = unixFamily
  return Buffer.concat([family, name])
}
