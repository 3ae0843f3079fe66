import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

// Stands before an S3 endpoint and passes everything on, until it is told to do as S3 does on its bad days.

export interface S3StandIn {
  endpoint: string
  /** `pass` by default; `throttle` answers 503 SlowDown, `down` breaks each connection off. */
  mode: 'pass' | 'throttle' | 'down'
  /** Requests that were not passed on. */
  refused: number
  close(): void
}

const slowDown =
  '<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>'

export async function startS3StandIn(endpoint: string): Promise<S3StandIn> {
  const behind = new URL(endpoint)
  const server = createServer((incoming, outgoing) => {
    if (standIn.mode !== 'pass') standIn.refused++
    if (standIn.mode === 'down') return void incoming.socket.destroy()
    if (standIn.mode === 'throttle') {
      incoming.resume()
      return void outgoing.writeHead(503, { 'content-type': 'application/xml' }).end(slowDown)
    }
    const { method, url, headers } = incoming
    // The host stays as it was signed.
    const passed = request(
      { host: behind.hostname, port: behind.port, method, path: url, headers },
      answer => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(outgoing)
      },
    )
    passed.on('error', () => outgoing.destroy())
    incoming.pipe(passed)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const standIn: S3StandIn = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    mode: 'pass',
    refused: 0,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
  return standIn
}
