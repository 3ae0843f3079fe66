import { type ClientRequest, type IncomingMessage, request as open, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Connect } from '../../outbound/connect.ts'
import type { HttpClient } from './client.ts'
import { ConnDuplex } from './conn-duplex.ts'
import { type Destination, endToEnd, fields, hasBody, isChunked } from './message.ts'
import { HttpProblem, problemOf, sendProblem } from './problem.ts'

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
      outgoing.on('information', interim => {
        if (request.httpVersion === '1.1' && !response.headersSent) writeInterim(request.socket, interim)
      })
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
  if (hasBody(request)) request.pipe(outgoing)
  else outgoing.end()
  return outgoing
}

/** Only a chunked body has trailers that could be announced. */
const trailerUnless = (chunked: boolean) => (chunked ? [] : ['trailer'])

interface Interim {
  statusCode?: number | undefined
  statusMessage?: string | undefined
  rawHeaders: string[]
}

/** An answer that is not the last one, which node:http's responses have no general form for (RFC 9110, section 15.2). */
function writeInterim(client: Duplex, { statusCode, statusMessage, rawHeaders }: Interim, more = ''): void {
  const head = `HTTP/1.1 ${statusCode} ${statusMessage}\r\n${more}`
  client.write(`${head}${fieldLines(endToEnd(rawHeaders))}\r\n`, 'latin1')
}

const fieldLines = (rawHeaders: readonly string[]) =>
  fields(rawHeaders)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')

function giveBack(incoming: IncomingMessage, response: ServerResponse, fail: (error: unknown) => void): void {
  const { req: request, socket: client } = response
  const coding = incoming.headers['transfer-encoding']
  const trailed = coding !== undefined && request.httpVersion === '1.1' && request.method !== 'HEAD'
  incoming.on('error', fail)
  try {
    if (coding !== undefined && !isChunked(coding)) throw new Error(`transfer coding ${coding}`)
    response.sendDate = false
    const headers = endToEnd(incoming.rawHeaders, ...trailerUnless(trailed))
    response.writeHead(incoming.statusCode!, incoming.statusMessage, headers)
  } catch (error) {
    incoming.destroy()
    fail(error)
    return
  }
  incoming.on('end', () => {
    // Bun's responses leave their trailers out: the last chunk is written past them, and ends the connection.
    if (trailed && incoming.rawTrailers.length > 0)
      client?.end(`0\r\n${fieldLines(incoming.rawTrailers)}\r\n`, 'latin1')
    else response.end()
    // What the client still sends was never asked for: the connection cannot be used again.
    if (!request.complete) response.once('finish', () => request.destroy())
  })
  incoming.pipe(response, { end: false })
}

/** The server has agreed to an upgrade: its answer goes back, and then whatever either says. */
function switchOver(
  { request, response, upgrade }: Exchange,
  incoming: IncomingMessage,
  server: Duplex,
  head: Buffer,
): void {
  const client = request.socket
  // A WebSocket may be silent for as long as it likes.
  if (server instanceof ConnDuplex) server.setTimeout(0)
  response.detachSocket(request.socket)
  writeInterim(client, incoming, 'Connection: Upgrade\r\nUpgrade: websocket\r\n')
  if (head.length > 0) client.write(head)
  if (upgrade && upgrade.length > 0) server.write(upgrade)
  client.on('close', () => server.destroy())
  server.on('close', () => client.destroySoon())
  client.on('error', () => {})
  server.on('error', () => {})
  client.pipe(server)
  server.pipe(client)
}
