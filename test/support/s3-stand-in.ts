import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

// Stands before an S3 endpoint and passes everything on, until it is told to do as S3 does on its bad days.

export interface S3StandIn {
  endpoint: string
  /** `pass` by default; `throttle` answers 503 SlowDown, `deny` 403 AccessDenied, `down` breaks each connection off. */
  mode: 'pass' | 'throttle' | 'deny' | 'down'
  /** Requests that were not passed on. */
  refused: number
  /** Requests so far, passed on or not: method and path. */
  requests: string[]
  /** Those of them that S3 has answered, with the status. */
  answered: string[]
  close(): void
}

const refusals = {
  throttle: [503, 'SlowDown', 'Please reduce your request rate.'],
  deny: [403, 'AccessDenied', 'Access Denied'],
} as const

/** `onAnswered` is told of each request that S3 has answered, as `answered` lists it, before the client is. */
export async function startS3StandIn(
  endpoint: string,
  onAnswered: (answered: string) => void = () => {},
): Promise<S3StandIn> {
  const behind = new URL(endpoint)
  const server = createServer((incoming, outgoing) => {
    standIn.requests.push(`${incoming.method} ${incoming.url}`)
    if (standIn.mode !== 'pass') standIn.refused++
    if (standIn.mode === 'down') return void incoming.socket.destroy()
    if (standIn.mode !== 'pass') {
      const [status, code, message] = refusals[standIn.mode]
      incoming.resume()
      outgoing.writeHead(status, { 'content-type': 'application/xml' })
      return void outgoing.end(`<Error><Code>${code}</Code><Message>${message}</Message></Error>`)
    }
    const { method, url, headers } = incoming
    // The host stays as it was signed.
    const passed = request(
      { host: behind.hostname, port: behind.port, method, path: url, headers },
      answer => {
        const answered = `${method} ${url} ${answer.statusCode}`
        onAnswered(answered)
        outgoing.on('close', () => standIn.answered.push(answered))
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
    requests: [],
    answered: [],
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
  return standIn
}
