import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Certificate, selfSigned } from './certificate.ts'
import { type DnsServer, dnsServer } from './dns-server.ts'
import { freePort } from './free-port.ts'
import { type LocalProxy, startProxy } from './local-proxy.ts'

// What stands around other people's clients: a proxy, and servers under a name that only its exit knows, so that
// whoever gets an answer went through it.

export interface ClientWorld {
  proxy: LocalProxy
  /** The proxy's second port, where `login` is asked for. */
  lockedPort: number
  dns: DnsServer
  http: Served
  https: Served
  certificate: Certificate
  /** File of that certificate, which the HTTPS server shows; it signs itself. */
  authorities: string
  folder: string
  close(): Promise<void>
}

export interface Served {
  /** `http://origin.example:80`, with the scheme and port that it has. */
  url: string
  port: number
  /** Paths that were asked for. */
  paths: string[]
}

export const name = 'origin.example'
export const login = { user: 'alice', password: 'wonder-land' }
/** Another login there, of which much has to be written in another way. */
export const awkward = { user: 'b ob@x', password: 'p"\\:@%ü\'$#/' }
/** And one with what every program can write. */
export const quoteless = { user: 'carol', password: 'p"\\:@%ü\'$#/' }

export type Serve = (request: Request) => Response | Promise<Response>

/** Starts it all; `serve` answers over HTTP and HTTPS alike, but for `/echo`, which is a WebSocket. */
export async function clientWorld(serve: Serve): Promise<ClientWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'lambda-nat-proxy-test-'))
  const certificate = await selfSigned(name, '127.0.0.1')
  const authorities = join(folder, 'authorities.pem')
  await writeFile(authorities, certificate.cert)
  const logins = join(folder, 'logins')
  const all = [login, awkward, quoteless].map(({ user, password }) => `${user}:${password}\n`)
  await writeFile(logins, all.join(''))
  const lockedPort = await freePort()

  const servers = [undefined, certificate].map(tls => startServer(serve, tls))
  const [http, https] = servers as [Served & Closable, Served & Closable]
  const dns = await dnsServer(asked => (asked === name ? { addresses: ['127.0.0.1'] } : undefined))
  const undo = async () => {
    await Promise.all(servers.map(server => server.close()))
    dns.close()
    await rm(folder, { recursive: true, force: true })
  }
  const listener = `mixed://127.0.0.1:${lockedPort}?auth-file=${logins}`
  try {
    const proxy = await startProxy({
      args: ['--local', '--allow-private', '--no-dashboard', '--dns', dns.address, '--listen', listener],
    })
    const close = () => proxy.close().then(undo)
    return { proxy, lockedPort, dns, http, https, certificate, authorities, folder, close }
  } catch (error) {
    await undo()
    throw error
  }
}

// --- internal ---

interface Closable {
  close(): Promise<void>
}

function startServer(serve: Serve, tls: { key: string; cert: string } | undefined): Served & Closable {
  const paths: string[] = []
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    ...(tls && { tls }),
    fetch(request, server) {
      const { pathname } = new URL(request.url)
      paths.push(pathname)
      if (pathname === '/echo' && server.upgrade(request)) return
      return serve(request)
    },
    websocket: { message: (socket, message) => void socket.send(message) },
  })
  const port = server.port!
  return {
    url: `${tls ? 'https' : 'http'}://${name}:${port}`,
    port,
    paths,
    close: () => server.stop(true),
  }
}
