import { dlopen } from 'bun:ffi'
import { cLibrary } from './c-library.ts'

/**
 * Connections that may wait to be accepted. Bun asks the kernel for 512, and of a thousand that come in one moment the
 * others' first packets are lost: they try again a second later. The system may grant less (net.core.somaxconn).
 */
const backlog = 4_096

/** Gives a listener of Bun's, which has no option for it, a longer queue. Where it cannot be done Bun's own serves. */
export function growBacklog({ fd = -1 }: BunListener): void {
  if (!cLibrary || fd < 0) return
  try {
    const { symbols, close } = dlopen(cLibrary, { listen: { args: ['i32', 'i32'], returns: 'i32' } })
    // On a socket that listens already it changes the length of the queue, and nothing else (listen(2)).
    symbols.listen(fd, backlog)
    close()
  } catch {
    // Another C library, say musl's under another name.
  }
}

// --- internal ---

/** Bun's listeners have it, its types do not. */
type BunListener = object & { fd?: number }
