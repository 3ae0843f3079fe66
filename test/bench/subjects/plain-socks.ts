import { need } from '../../support/need.ts'
import { drive } from '../load.ts'
import { freePort } from '../processes.ts'
import { reachable } from './reachable.ts'
import type { Subject } from './subject.ts'

/** A SOCKS5 server in C, without encryption and without a second end. */
export const plainSocks: Subject = {
  name: 'socks',
  title: 'microsocks, plain SOCKS5',
  async prepare() {
    if (!need(['microsocks'], ['microsocks'])) throw new Error('microsocks is not to be had')
  },
  async start(place) {
    const socks = { address: place.address.far, port: await freePort() }
    const server = place.start('far', ['microsocks', '-i', socks.address, '-p', String(socks.port)])
    await reachable(place, 'far', socks)
    return {
      parts: () => ({ exit: [server.pid], client: [] }),
      run: load => drive(place, load, socks),
      stop: server.stop,
    }
  },
}
