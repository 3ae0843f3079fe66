import { createSocket } from 'node:dgram'
import type { Endpoint } from './endpoint.ts'

/**
 * The address of this machine that packets to there leave by, as the system chooses it for a socket that is connected
 * to it; nothing is sent. (Its list of interfaces would not do: it leaves out those that came up a moment ago.)
 * Undefined where nothing leads there.
 */
export async function localAddressTowards({ address, port }: Endpoint): Promise<string | undefined> {
  const socket = createSocket('udp4')
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject)
      socket.connect(port, address, resolve)
    })
    const local = socket.address().address
    // Bun tells of no error.
    return local === '0.0.0.0' ? undefined : local
  } catch {
    return undefined
  } finally {
    socket.close()
  }
}
