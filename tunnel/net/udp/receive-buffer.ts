import { cLibrary } from '../c-library.ts'

/** Enough for some 1,800 packets to wait while the loop is busy; the system may grant less. Bytes. */
export const receiveBufferSize = 4 * 1024 * 1024

/** SOL_SOCKET and SO_RCVBUF, where they are known. */
const systems: Partial<Record<NodeJS.Platform, [level: number, option: number]>> = {
  linux: [1, 8],
  darwin: [0xffff, 0x1002],
}

/**
 * Asks for a larger receive buffer on a socket of Bun's, which has no call for it. The usual 208 KiB
 * hold some 90 packets, and a burst of a fast sender is longer than that: without this about 1 % of a
 * gigabit is lost. Where it cannot be done the system's own size serves.
 */
export async function growReceiveBuffer(descriptor: number): Promise<void> {
  const system = systems[process.platform]
  if (!system || !cLibrary) return
  const [level, option] = system
  try {
    const { dlopen, ptr } = await import('bun:ffi')
    const { symbols, close } = dlopen(cLibrary, {
      setsockopt: { args: ['i32', 'i32', 'i32', 'ptr', 'u32'], returns: 'i32' },
    })
    const value = new Int32Array([receiveBufferSize])
    symbols.setsockopt(descriptor, level, option, ptr(value), value.byteLength)
    close()
  } catch {
    // Another C library, say musl's under another name.
  }
}
