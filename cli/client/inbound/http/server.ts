import { createServer, type IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Conn } from '../../../../tunnel/net/conn.ts'
import type { Connect } from '../../outbound/connect.ts'
import type { Rule } from '../../outbound/rules.ts'
import type { Access } from '../logins.ts'
import type { Rejection } from '../rejection.ts'
import { HttpClient } from './client.ts'
import { httpConnect } from './connect.ts'
import { forward } from './forward.ts'
import { checkRequest, parseAbsolute } from './message.ts'
import { pacFile, pacType } from './pac.ts'
import { HttpProblem, problemOf, sendProblem } from './problem.ts'

export interface HttpOptions {
  connect: Connect
  access: Access
  /** What the PAC file says; the connections themselves go as `connect` knows. */
  rules: readonly Rule[]
  /** How long a client may take for the fields of a request. Milliseconds. */
  headMs: number
  onRejected: (rejection: Rejection) => void
}

/** Request line and fields; what is longer gets 431. Bytes. */
const maxHeaderSize = 32 * 1024
/** An idle connection of a client's is kept this long for its next request. Milliseconds. */
const idleMs = 60_000
/** Requests sent ahead of their answers; a client that sends more is cut off. */
const maxPending = 64
const methodsNotAllowed = new Set(['TRACE', 'TRACK'])

/**
 * An HTTP proxy (RFC 9110, 9112) for connections that it is handed: node:http's parser reads them, and
 * `connect` makes the connections on. Gives the function that takes a client's connection, which nobody owns.
 */
export function httpServer(options: HttpOptions): (conn: Conn) => void {
  const { connect, access, rules, headMs, onRejected } = options
  const clients = new WeakMap<Duplex, HttpClient>()
  const server = createServer({
    maxHeaderSize,
    // Limits are this proxy's own: a body may take as long as it flows.
    requestTimeout: 0,
    headersTimeout: 0,
    keepAliveTimeout: 0,
    // h2c and whatever else there may be is a server's to refuse, and here it is not even asked.
    shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
  })

  const logIn = (request: IncomingMessage): string | undefined => {
    const login = readBasic(request.headers['proxy-authorization'])
    if (access.admits(login?.user ?? '', login?.password ?? '')) return login?.user
    onRejected(
      login
        ? { code: 'E_LOGIN_WRONG', message: 'wrong user name or password' }
        : { code: 'E_LOGIN_REQUIRED', message: 'a login is needed' },
    )
    throw new HttpProblem(407, 'this proxy needs a user name and password', {
      'proxy-authenticate': 'Basic realm="lambda-nat-proxy", charset="UTF-8"',
    })
  }

  const answer = async (
    client: HttpClient,
    request: IncomingMessage,
    response: ServerResponse,
    upgrade?: Buffer,
  ) => {
    try {
      checkRequest(request)
      if (methodsNotAllowed.has(request.method ?? ''))
        throw new HttpProblem(405, `${request.method} is not served`, {
          allow: 'GET, HEAD, POST, PUT, CONNECT',
        })
      if (request.url === '/proxy.pac') return sendPac(request, response, rules)
      const destination = parseAbsolute(request)
      const user = logIn(request)
      await forward({ request, response, destination, user, client, connect, ...(upgrade && { upgrade }) })
    } catch (error) {
      sendProblem(response, problemOf(error))
    }
  }
  const enqueue = (request: IncomingMessage, response: ServerResponse, upgrade?: Buffer) => {
    const client = clients.get(request.socket)!
    client.expect(undefined)
    client.latest = response
    if (++client.pending > maxPending) return void client.duplex.destroy()
    client.turn = client.turn
      .then(async () => {
        // After an answer that ends the connection there are no more.
        if (!client.duplex.writable) return
        await answer(client, request, response, upgrade)
        await closed(response, client)
      })
      .finally(() => {
        if (--client.pending === 0) client.expect(idleMs, () => client.duplex.destroy())
      })
  }

  server.on('request', enqueue)
  // The server decides whether it wants the body: its 100 (Continue) is passed on.
  server.on('checkContinue', enqueue)
  server.on('upgrade', (request: IncomingMessage, _duplex: Duplex, head: Buffer) => {
    const response = new ServerResponse(request)
    response.shouldKeepAlive = false
    response.assignSocket(request.socket)
    // The parser has stopped: nothing can follow this exchange.
    response.on('finish', () => request.socket.destroySoon())
    enqueue(request, response, head)
  })
  server.on('connect', (request: IncomingMessage, duplex: Duplex, head: Buffer) => {
    void httpConnect(request, head, clients.get(duplex)!, connect, () => logIn(request))
  })
  server.on('clientError', (error: NodeJS.ErrnoException, duplex: Duplex) => {
    // What follows a request that ends the connection is not looked at (RFC 9112, section 9.6).
    if (error.code === 'HPE_CLOSED_CONNECTION') return
    const client = clients.get(duplex)!
    const problem = unreadable(error)
    onRejected({ code: 'E_CLIENT_MALFORMED', message: problem.message })
    client.dismiss(problem)
  })

  return conn => {
    const client = new HttpClient(conn)
    clients.set(client.duplex, client)
    client.expect(headMs, () => client.dismiss(new HttpProblem(408, 'the request took too long to arrive')))
    server.emit('connection', client.duplex)
  }
}

// --- internal ---

/** Resolves when a response was handed over to its end, or cannot be any more. */
const closed = (response: ServerResponse, { signal }: HttpClient): Promise<void> =>
  new Promise(resolve => {
    if (response.closed || signal.aborted) return resolve()
    response.once('close', resolve)
    signal.addEventListener('abort', () => resolve(), { once: true })
  })

/** What llhttp could not or would not read. */
function unreadable({ code, message }: NodeJS.ErrnoException): HttpProblem {
  if (code === 'HPE_HEADER_OVERFLOW')
    return new HttpProblem(431, `the request line and fields have more than ${maxHeaderSize} bytes`)
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW')
    return new HttpProblem(413, 'the chunk extensions are too long')
  return new HttpProblem(400, message.replace(/^Parse Error: /, ''))
}

/** The credentials of the Basic scheme (RFC 7617); undefined when there are none that can be read. */
function readBasic(field: string | undefined): { user: string; password: string } | undefined {
  const [, encoded] = /^Basic +([a-z0-9+/_-]+=*) *$/i.exec(field ?? '') ?? []
  const text = encoded === undefined ? '' : Buffer.from(encoded, 'base64').toString()
  const colon = text.indexOf(':')
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) }
}

/** The PAC file names this proxy as the browser knows it, which is what it put into Host. No login: browsers send none for it. */
function sendPac(
  { method, headers }: IncomingMessage,
  response: ServerResponse,
  rules: readonly Rule[],
): void {
  if (method !== 'GET' && method !== 'HEAD')
    throw new HttpProblem(405, 'a PAC file can only be read', { allow: 'GET, HEAD' })
  if (!/^[a-z0-9.:[\]-]+$/i.test(headers.host ?? ''))
    throw new HttpProblem(400, 'the Host field is malformed')
  response.writeHead(200, { 'content-type': pacType, 'cache-control': 'no-cache' })
  response.end(Buffer.from(pacFile(rules, headers.host!)))
}
