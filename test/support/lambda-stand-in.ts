import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

// In place of Lambda's Invoke API: an event goes to whoever runs the function here, and what Lambda refuses is refused
// as it does.

export interface LambdaStandIn {
  endpoint: string
  /** `accept` by default. */
  mode: 'accept' | 'deny' | 'throttle' | 'missing'
  /** The functions that were to be invoked, in turn, refused ones among them. */
  calls: { functionName: string; type: string | undefined; event: unknown }[]
  close(): void
}

const refusals = {
  deny: [403, 'AccessDeniedException', 'User is not authorized to perform: lambda:InvokeFunction'],
  throttle: [429, 'TooManyRequestsException', 'Rate Exceeded.'],
  missing: [404, 'ResourceNotFoundException', 'Function not found'],
} as const

export async function startLambdaStandIn(deliver: (event: unknown) => void): Promise<LambdaStandIn> {
  const server = createServer(async (request, response) => {
    const [, functionName] = /^\/2015-03-31\/functions\/([^/]+)\/invocations/.exec(request.url ?? '') ?? []
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    if (functionName === undefined) return void response.writeHead(404).end()
    const event: unknown = JSON.parse(Buffer.concat(chunks).toString())
    const type = request.headers['x-amz-invocation-type']
    standIn.calls.push({ functionName, type: type?.toString(), event })
    if (standIn.mode === 'accept') {
      deliver(event)
      return void response.writeHead(202).end()
    }
    const [status, code, Message] = refusals[standIn.mode]
    const headers = { 'content-type': 'application/json', 'x-amzn-errortype': code }
    response.writeHead(status, headers).end(JSON.stringify({ Message }))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const standIn: LambdaStandIn = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    mode: 'accept',
    calls: [],
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
  return standIn
}
