import { type ClientRequest, type IncomingMessage, request as open, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Connect } from './connect.ts'
import type { HttpClient } from './http-client.ts'
import { type Destination, endToEnd, fields, hasBody, isChunked } from './http-message.ts'
import { HttpProblem, problemOf, sendProblem } from './http-problem.ts'

/** An exchange in which nobody says anything for this long is given up. Milliseconds. */
const silenceLimitMs = 300_000
/** Fields of a response; servers send more than clients do. Bytes. */
const maxHeaderSize = 64 * 1024
/** Requests that do the same when they are done twice (RFC 9110, section 9.2.2). */
const repeatable = new Set(['GET', 'HEAD', 'OPTIONS'])

export interface Exchange {
  request: IncomingMessage
  response: ServerResponse
  destination: Destination
  user: string | undefined
  client: HttpClient
  connect: Connect
  /** The client asks for a WebSocket; what it sent after its request. */
  upgrade?: Buffer
}

/**
 * Passes a request on and the response back, each part as it comes: bodies, trailers, 100 (Continue), and
 * what follows an upgrade. Resolves when the exchange is over, whichever way.
 */
export function forward(exchange: Exchange): Promise<void> {
  const { request, response, destination, client } = exchange
  return new Promise(resolve => {
    let outgoing: ClientRequest | undefined
    const over = () => {
      client.signal.removeEventListener('abort', over)
      if (!response.writableFinished) outgoing?.destroy()
      resolve()
    }
    response.on('close', over)
    client.signal.addEventListener('abort', over)

    const fail = (error: unknown) => sendProblem(response, problemOf(error, destination.authority))
    const attempt = (fresh: boolean) => {
      outgoing = send(exchange, fresh)
      outgoing.on('response', incoming => giveBack(incoming, response, fail))
      outgoing.on('continue', () => response.writeContinue())
      outgoing.on('timeout', () => {
        fail(new HttpProblem(504, `${destination.authority} has said nothing for ${silenceLimitMs / 1000} s`))
        outgoing?.destroy()
      })
      outgoing.on('upgrade', (incoming, server, head) => switchOver(exchange, incoming, server, head))
      outgoing.on('error', error => {
        if (client.signal.aborted) return
        // A kept connection may end at the very moment it is used again: the server has seen nothing.
        if (outgoing?.reusedSocket && !fresh && repeatable.has(request.method ?? '') && !hasBody(request))
          attempt(true)
        else fail(error)
      })
    }
    try {
      attempt(false)
    } catch (error) {
      // node:http refuses to send what is malformed.
      fail(new HttpProblem(400, (error as Error).message))
    }
    request.on('error', () => outgoing?.destroy())
  })
}

// --- internal ---

function send(exchange: Exchange, fresh: boolean): ClientRequest {
  const { request, destination, user, client, connect, upgrade } = exchange
  const chunked = request.headers['transfer-encoding'] !== undefined
  const headers = endToEnd(request.rawHeaders, 'host', ...trailerUnless(chunked))
  headers.unshift('Host', destination.authority)
  // The body's own framing, said anew: without it node:http would guess by the method.
  if (chunked) headers.push('Transfer-Encoding', 'chunked')
  if (upgrade) headers.push('Connection', 'Upgrade', 'Upgrade', 'websocket')
  const outgoing = open({
    agent: client.agent(connect, user, fresh),
    host: destination.host,
    port: destination.port,
    method: request.method,
    path: destination.path,
    headers,
    maxHeaderSize,
    timeout: silenceLimitMs,
  })
  // Trailers are known at the end, and must be there before it is passed on.
  request.on('end', () => chunked && outgoing.addTrailers(fields(request.rawTrailers)))
  if (upgrade) outgoing.end()
  else request.pipe(outgoing)
  return outgoing
}

/** Only a chunked body has trailers that could be announced. */
const trailerUnless = (chunked: boolean) => (chunked ? [] : ['trailer'])

function giveBack(incoming: IncomingMessage, response: ServerResponse, fail: (error: unknown) => void): void {
  incoming.on('error', fail)
  try {
    const coding = incoming.headers['transfer-encoding']
    if (coding !== undefined && !isChunked(coding)) throw new Error(`transfer coding ${coding}`)
    const headers = endToEnd(incoming.rawHeaders, ...trailerUnless(coding !== undefined))
    response.sendDate = false
    response.writeHead(incoming.statusCode!, incoming.statusMessage, headers)
  } catch (error) {
    incoming.destroy()
    fail(error)
    return
  }
  incoming.on('end', () => {
    if (incoming.rawTrailers.length > 0 && response.chunkedEncoding)
      response.addTrailers(fields(incoming.rawTrailers))
    // What the client still sends was never asked for: the connection cannot be used again.
    if (!response.req.complete) response.once('finish', () => response.req.destroy())
  })
  incoming.pipe(response)
}

/** The server has agreed to an upgrade: its answer goes back, and then whatever either says. */
function switchOver(
  { request, response, upgrade }: Exchange,
  incoming: IncomingMessage,
  server: Duplex,
  head: Buffer,
): void {
  const client = request.socket as Duplex
  response.detachSocket(request.socket)
  const lines = fields(endToEnd(incoming.rawHeaders)).map(([name, value]) => `${name}: ${value}\r\n`)
  client.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${lines.join('')}\r\n`,
    'latin1',
  )
  if (head.length > 0) client.write(head)
  if (upgrade && upgrade.length > 0) server.write(upgrade)
  client.on('close', () => server.destroy())
  server.on('close', () => client.destroy())
  client.on('error', () => {})
  server.on('error', () => {})
  client.pipe(server)
  server.pipe(client)
}
