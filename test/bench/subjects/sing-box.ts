import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createIdentity } from '../../../tunnel/quic/identity.ts'
import { drive, nearby } from '../load.ts'
import { freePort } from '../processes.ts'
import { goInstall, goProgram } from './go-install.ts'
import { reachable } from './reachable.ts'
import type { Subject } from './subject.ts'

// SOCKS5 over QUIC in Go, in the two protocols that people use for it: sing-box speaks both, on quic-go.

/** Its congestion control is BBR, unless it is told a bandwidth. */
export const hysteria: Subject = singBox({
  name: 'hysteria',
  title: 'Hysteria 2 in Go (sing-box)',
  server: { type: 'hysteria2', users: [{ password: 'bench' }] },
  client: { type: 'hysteria2', password: 'bench' },
})

const uuid = '00000000-0000-4000-8000-000000000000'
const cubic = { congestion_control: 'cubic' }
export const tuic: Subject = singBox({
  name: 'tuic',
  title: 'TUIC in Go (sing-box), CUBIC',
  server: { type: 'tuic', users: [{ uuid, password: 'bench' }], ...cubic },
  client: { type: 'tuic', uuid, password: 'bench', ...cubic },
})

// --- internal ---

interface Protocol {
  name: string
  title: string
  /** What stands in each end's settings besides addresses and certificate. */
  server: object
  client: object
}

function singBox({ name, title, server, client }: Protocol): Subject {
  return {
    name,
    title,
    prepare: () => goInstall('sing-box', 'github.com/sagernet/sing-box/cmd/sing-box@v1.14.1', ['with_quic']),
    async start(place) {
      const folder = mkdtempSync(join(tmpdir(), 'bench-sing-box-'))
      const socks = nearby(await freePort())
      const [address, port] = [place.address.far, await freePort()]
      const { key, certificate } = await createIdentity()
      const tls = { enabled: true, alpn: ['h3'] }
      const settings = {
        far: {
          inbounds: [
            {
              ...server,
              listen: address,
              listen_port: port,
              tls: { ...tls, key: String(key), certificate: String(certificate) },
            },
          ],
          outbounds: [{ type: 'direct' }],
        },
        near: {
          inbounds: [{ type: 'socks', listen: socks.address, listen_port: socks.port }],
          // The certificate is nobody's: what it costs to check one is paid all the same.
          outbounds: [{ ...client, server: address, server_port: port, tls: { ...tls, insecure: true } }],
        },
      }
      const startEnd = (side: 'far' | 'near') => {
        const file = join(folder, `${side}.json`)
        writeFileSync(file, JSON.stringify({ log: { level: 'error' }, ...settings[side] }))
        return place.start(side, [goProgram('sing-box'), 'run', '-c', file])
      }
      const ends = { exit: startEnd('far'), client: startEnd('near') }
      await reachable(place, 'near', socks)
      return {
        parts: () => ({ exit: [ends.exit.pid], client: [ends.client.pid] }),
        run: load => drive(place, load, socks),
        async stop() {
          await Promise.all([ends.exit.stop(), ends.client.stop()])
          rmSync(folder, { recursive: true, force: true })
        },
      }
    },
  }
}
