import { errorData } from '../../tunnel/net/coded-error.ts'
import type { Place } from './folder.ts'

/** The system connects at once, or says why not. Milliseconds. */
const limitMs = 3_000

/**
 * Whether somebody listens there. The system itself makes the connection: one that hangs is alive, and is not waited for.
 * Who may not connect does not know.
 */
export async function look({ socket }: Place): Promise<'alive' | 'dead' | 'unknown'> {
  if (await connects(socket)) return 'alive'
  // Bun says "refused" also where a process that hangs has as many connections waiting as it may; fetch tells them apart.
  try {
    await fetch('http://localhost/', { unix: socket, signal: AbortSignal.timeout(limitMs) })
    return 'alive'
  } catch (error) {
    const { code } = errorData(error)
    return code === 'ECONNREFUSED' ? 'dead' : code === 'EAGAIN' ? 'alive' : 'unknown'
  }
}

// --- internal ---

async function connects(socket: string): Promise<boolean> {
  try {
    const connection = await Bun.connect({ unix: socket, socket: { data() {}, error() {} } })
    connection.end()
    return true
  } catch {
    return false
  }
}
