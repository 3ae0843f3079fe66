import type { Socket } from 'node:net'
import { SocksError, socksConnect } from '../support/socks-client.ts'

// Connections that read nothing of what comes: whoever carries them holds what they do not take.

export interface Readers {
  open: number
  /** Those that the proxy answered with a SOCKS reply other than "succeeded". */
  refused: number
  close(): void
}

/** Opened a few at a time. Their target pours without end: `<bytes> <rate>\n` is what asks test/support/origin.ts to. */
export async function slowReaders(
  count: number,
  { proxy, origin, rate = 0 }: { proxy: number; origin: number; rate?: number },
): Promise<Readers> {
  const sockets: Socket[] = []
  let refused = 0
  let left = count
  const open = async () => {
    while (left-- > 0) {
      try {
        const socket = await socksConnect({ proxy, host: '127.0.0.1', port: origin })
        socket.on('error', () => {})
        socket.write(`${1024 ** 3} ${rate}\n`)
        sockets.push(socket)
      } catch (error) {
        if (!(error instanceof SocksError) || error.reply === undefined) throw error
        refused++
      }
    }
  }
  await Promise.all(Array.from({ length: 32 }, open))
  return {
    open: sockets.length,
    refused,
    close() {
      for (const socket of sockets) socket.destroy()
    },
  }
}
