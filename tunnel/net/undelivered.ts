import { dlopen, ptr } from 'bun:ffi'

/**
 * Bytes that a TCP socket of Bun's has been given and its peer has not acknowledged: Bun has no call for that. 0 where
 * the system does not tell.
 */
export function undelivered(descriptor: number): number {
  try {
    ask ??= systems[process.platform]?.() ?? (() => 0)
    return ask(descriptor)
  } catch {
    // Another C library, say musl's under another name.
    return 0
  }
}

// --- internal ---

type Ask = (descriptor: number) => number

let ask: Ask | undefined

const answer = new Int32Array(1)

const systems: Partial<Record<NodeJS.Platform, () => Ask>> = {
  linux() {
    const siocOutq = 0x5411
    const { symbols } = dlopen('libc.so.6', { ioctl: { args: ['i32', 'u64', 'ptr'], returns: 'i32' } })
    return descriptor => (symbols.ioctl(descriptor, siocOutq, ptr(answer)) === 0 ? answer[0]! : 0)
  },
  darwin() {
    const [level, soNwrite] = [0xffff, 0x1024]
    const size = new Uint32Array([answer.byteLength])
    const { symbols } = dlopen('libSystem.B.dylib', {
      getsockopt: { args: ['i32', 'i32', 'i32', 'ptr', 'ptr'], returns: 'i32' },
    })
    return descriptor =>
      symbols.getsockopt(descriptor, level, soNwrite, ptr(answer), ptr(size)) === 0 ? answer[0]! : 0
  },
}
