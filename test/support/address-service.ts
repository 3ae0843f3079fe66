import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { selfSigned } from './certificate.ts'

/** A service that tells by HTTPS which address it is asked from, or something else. */
export interface AddressService {
  url: string
  /** A file with the authority that its certificate is from: NODE_EXTRA_CA_CERTS. */
  authorities: string
  /** What it says, by the path that is asked for. */
  paths: Record<string, (response: ServerResponse) => unknown>
  /** Paths that were asked for. */
  asked: string[]
  close(): Promise<void>
}

export async function startAddressService(paths: AddressService['paths']): Promise<AddressService> {
  const folder = await mkdtemp(join(tmpdir(), 'lambda-nat-proxy-test-'))
  const certificate = await selfSigned('localhost')
  const authorities = join(folder, 'authorities.pem')
  await writeFile(authorities, certificate.cert)
  const asked: string[] = []
  const server = createServer(certificate, ({ url = '' }, response) => {
    asked.push(url)
    if (paths[url]) paths[url](response)
    else response.writeHead(404).end()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    authorities,
    paths,
    asked,
    async close() {
      server.close()
      server.closeAllConnections()
      await rm(folder, { recursive: true })
    },
  }
}
