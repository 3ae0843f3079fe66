import { need } from '../../support/need.ts'
import { drive } from '../load.ts'
import { freePort, start } from '../processes.ts'
import { reachable } from './reachable.ts'
import type { Subject } from './subject.ts'

/** A SOCKS5 server in C, without encryption and without a second end. */
export const plainSocks: Subject = {
  name: 'socks',
  title: 'microsocks, plain SOCKS5',
  async prepare() {
    if (!need(['microsocks'], ['microsocks'])) throw new Error('microsocks is not to be had')
  },
  async start(origin) {
    const socks = await freePort()
    const server = start(['microsocks', '-i', '127.0.0.1', '-p', String(socks)])
    await reachable(socks)
    return {
      parts: () => ({ exit: [server.pid], client: [] }),
      run: load => drive({ ...load, origin, socks }),
      stop: server.stop,
    }
  },
}
