import { readdirSync, readlinkSync } from 'node:fs'

/** How many sockets a process has open. Linux. */
export function openSockets(pid: number | 'self'): number {
  const folder = `/proc/${pid}/fd`
  return readdirSync(folder).filter(fd => {
    try {
      return readlinkSync(`${folder}/${fd}`).startsWith('socket:')
    } catch {
      return false
    }
  }).length
}
