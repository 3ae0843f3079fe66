import { formatEndpoint } from '../../../tunnel/net/endpoint.ts'
import { drive, nearby } from '../load.ts'
import { freePort } from '../processes.ts'
import { goInstall, goProgram } from './go-install.ts'
import { reachable } from './reachable.ts'
import type { Subject } from './subject.ts'

/** The same path in Go: SOCKS5 over QUIC between two processes. */
export const gost: Subject = {
  name: 'gost',
  title: 'gost, SOCKS5 over QUIC in Go',
  prepare: () => goInstall('gost', 'github.com/go-gost/gost/cmd/gost@latest'),
  async start(place) {
    const program = goProgram('gost')
    const socks = nearby(await freePort())
    const server = { address: place.address.far, port: await freePort() }
    const url = `socks5+quic://${formatEndpoint(server)}?notls=true`
    const exit = place.start('far', [program, '-L', url])
    const listen = ['-L', `socks5://${formatEndpoint(socks)}`]
    const client = place.start('near', [program, ...listen, '-F', `${url}&keepalive=true`])
    await reachable(place, 'near', socks)
    return {
      parts: () => ({ exit: [exit.pid], client: [client.pid] }),
      run: load => drive(place, load, socks),
      async stop() {
        await Promise.all([exit.stop(), client.stop()])
      },
    }
  },
}
