import type { Cancellation } from '../../../../tunnel/net/cancellation.ts'
import { closeAfterWrite } from '../../../../tunnel/net/close-after-write.ts'
import { type Conn, defaultLingerMs } from '../../../../tunnel/net/conn.ts'
import type { Access } from '../../accounts/access.ts'
import { readBasic } from '../../accounts/basic.ts'
import type { Connect } from '../../outbound/connect.ts'
import type { Requester } from '../../outbound/outbound.ts'
import type { Rule } from '../../outbound/rules.ts'
import type { Rejection } from '../rejection.ts'
import { membersOf, valuesOf } from './fields.ts'
import { forward, type Outcome, type SilenceLimits } from './forward.ts'
import { readHead } from './head.ts'
import { MessageError } from './message-error.ts'
import { Origins } from './origins.ts'
import { type PacRequest, pacResponse } from './pac.ts'
import { HttpProblem, problemBytes, problemOf, requestProblem } from './problem.ts'
import { BrokenError, PullConn } from './pull-conn.ts'
import { hasBody, parseAbsolute, parseAuthority, parseRequest, type Request } from './request.ts'

export interface HttpOptions {
  connect: Connect
  access: Access
  /** What the PAC file says; the connections themselves go as `connect` knows. */
  rules: () => readonly Rule[]
  /** How long a client may take for the fields of a request. Milliseconds. */
  headMs: number
  silence: SilenceLimits
  onRejected: (rejection: Rejection) => void
  /** The request's login was right, or none is needed. */
  onAdmitted?: (conn: Conn) => void
}

/** Where a client's connection comes from, and which of our addresses it came to. */
export interface ClientAddresses {
  peer: string
  local: string
}

/** Request line and fields; what is longer gets 431. Bytes. */
const maxHeadBytes = 32 * 1024
/** An idle connection of a client's is kept this long for its next request. Milliseconds. */
const idleMs = 60_000
const established = Buffer.from('HTTP/1.1 200 Connection established\r\n\r\n')

/**
 * An HTTP proxy (RFC 9110, 9112) for connections that it is handed: `connect` makes the connections on. Gives the
 * function that takes a client's connection, which nobody owns. Requests are served one after another; what a client
 * sends ahead stays unread until its turn comes.
 */
export function httpServer(options: HttpOptions): (conn: Conn, addresses: ClientAddresses) => void {
  return (conn, addresses) => void new Client(options, conn, addresses).serve()
}

// --- internal ---

class Client {
  readonly #options: HttpOptions
  readonly #addresses: ClientAddresses
  readonly #pull: PullConn
  readonly #origins: Origins
  readonly #gone: Cancellation
  #late = false

  constructor(options: HttpOptions, conn: Conn, addresses: ClientAddresses) {
    this.#options = options
    this.#addresses = addresses
    this.#gone = conn.gone
    this.#pull = new PullConn(conn)
    this.#origins = new Origins(options.connect)
  }

  async serve(): Promise<void> {
    const drop = () => this.#origins.destroy()
    this.#gone.addEventListener('abort', drop, { once: true })
    try {
      let outcome: Outcome = 'next'
      while (outcome === 'next' && !this.#gone.aborted) {
        const request = await this.#nextRequest()
        if (!request) break
        outcome = await this.#answer(request)
      }
      if (outcome === 'cut') this.#pull.conn.abort()
      // What was answered is still on its way, to however slow a reader.
      else if (outcome !== 'taken') closeAfterWrite(this.#pull.release(), undefined, defaultLingerMs)
    } catch (error) {
      this.#refuse(error)
    } finally {
      this.#gone.removeEventListener('abort', drop)
      drop()
    }
  }

  /** Undefined when the client has ended, or let too long pass between two requests. */
  async #nextRequest(): Promise<Request | undefined> {
    const first = await this.#within(idleMs, () => this.#pull.read())
    if (!first) return undefined
    this.#pull.unread(first)
    const head = await this.#within(this.#options.headMs, () =>
      readHead(this.#pull, { maxBytes: maxHeadBytes, lenient: false }),
    )
    if (this.#late) throw new HttpProblem(408, 'the request took too long to arrive')
    return head && parseRequest(head)
  }

  /** Waits for what the client sends; undefined, and `#late`, when it lets so many milliseconds pass. */
  async #within<T>(ms: number, read: () => Promise<T | undefined>): Promise<T | undefined> {
    const late = Promise.withResolvers<undefined>()
    const timer = setTimeout(() => {
      this.#late = true
      late.resolve(undefined)
    }, ms)
    try {
      return await Promise.race([read(), late.promise])
    } finally {
      clearTimeout(timer)
    }
  }

  async #answer(request: Request): Promise<Outcome> {
    try {
      if (request.method === 'CONNECT') return await this.#connectTo(request)
      return await this.#respond(request)
    } catch (error) {
      if (!(error instanceof HttpProblem)) throw error
      // Content that was not read to its end cannot be skipped, and what follows what was not understood is no message.
      const last = !request.keepsAlive || hasBody(request) || endsConnection.has(error.status)
      await this.#pull.write(problemBytes(error, { method: request.method, last }))
      return last ? 'last' : 'next'
    }
  }

  async #respond(request: Request): Promise<Outcome> {
    const { target, method } = request
    if (method === 'TRACE' || method === 'TRACK')
      throw new HttpProblem(405, `${method} is not served`, [['allow', 'GET, HEAD, POST, PUT, CONNECT']])
    if (target === '/proxy.pac') {
      await this.#pull.write(pacResponse(await this.#pacRequest(request), this.#options.rules()))
      return request.keepsAlive && !hasBody(request) ? 'next' : 'last'
    }
    const destination = parseAbsolute(request)
    const requester = await this.#logIn(request)
    const hops = hopsLeft(request)
    if (hops === 0) {
      await this.#pull.write(optionsResponse)
      return request.keepsAlive && !hasBody(request) ? 'next' : 'last'
    }
    const fields = hops === undefined ? request.fields : withHops(request.fields, hops - 1)
    return forward({
      client: this.#pull,
      request: { ...request, fields },
      destination,
      requester,
      origins: this.#origins,
      silence: this.#options.silence,
    })
  }

  /** Serves a CONNECT (RFC 9110, section 9.3.6): from then on the bytes go past here. */
  async #connectTo(request: Request): Promise<Outcome> {
    try {
      // It has no content; what looks like some could be read as another request.
      if (request.framing.kind !== 'none' && hasBody(request))
        throw new HttpProblem(400, 'CONNECT has no content')
      const target = parseAuthority(request.target)
      const requester = { ...(await this.#logIn(request)), takesEarly: true }
      const connected = await this.#options.connect(target, requester)
      await this.#pull.write(established)
      connected.carry(this.#pull.release())
      return 'taken'
    } catch (error) {
      if (this.#gone.aborted) return 'last'
      await this.#pull.write(problemBytes(problemOf(error, request.target)))
      return 'last'
    }
  }

  #login(request: Request): { user: string; password: string } | undefined {
    return readBasic(valuesOf(request.fields, 'proxy-authorization')[0])
  }

  async #logIn(request: Request): Promise<Requester> {
    const { access, onRejected, onAdmitted } = this.#options
    const login = this.#login(request)
    const admission = await access.admit(login?.user ?? '', login?.password ?? '')
    if (admission) {
      onAdmitted?.(this.#pull.conn)
      return { user: login?.user, ...admission, protocol: 'http', signal: this.#gone }
    }
    onRejected(
      login
        ? { code: 'E_LOGIN_WRONG', message: 'wrong user name or password' }
        : { code: 'E_LOGIN_REQUIRED', message: 'a login is needed' },
    )
    throw new HttpProblem(407, 'this proxy needs a user name and password', [
      ['proxy-authenticate', 'Basic realm="lambda-nat-proxy", charset="UTF-8"'],
    ])
  }

  async #pacRequest(request: Request): Promise<PacRequest> {
    const login = this.#login(request)
    const admission = login && (await this.#options.access.admit(login.user, login.password))
    return {
      method: request.method,
      host: valuesOf(request.fields, 'host')[0],
      addresses: this.#addresses,
      hasLogin: admission !== undefined,
      last: !request.keepsAlive,
    }
  }

  /** What cannot be read is answered as far as that is possible, and the connection ends. */
  #refuse(error: unknown): void {
    if (this.#gone.aborted || error instanceof BrokenError) return void this.#pull.conn.abort(0)
    const problem = error instanceof MessageError ? requestProblem(error) : problemOf(error, 'the request')
    this.#options.onRejected({ code: 'E_CLIENT_MALFORMED', message: problem.message })
    closeAfterWrite(this.#pull.release(), problemBytes(problem))
  }
}

/** After these nothing more of the client's is read: it was not understood, or it has no login. */
const endsConnection = new Set([400, 407, 501, 505])

/** Max-Forwards of OPTIONS (RFC 9110, section 7.6.2); undefined where it says nothing. */
function hopsLeft({ method, fields }: Request): number | undefined {
  const [hops] = membersOf(fields, 'max-forwards')
  return method === 'OPTIONS' && hops !== undefined && /^\d{1,9}$/.test(hops) ? Number(hops) : undefined
}

const withHops = (fields: Request['fields'], hops: number): Request['fields'] =>
  fields.map(field => (field[0].toLowerCase() === 'max-forwards' ? [field[0], String(hops)] : field))

/** This proxy's own answer to OPTIONS. */
const optionsResponse = Buffer.from(
  'HTTP/1.1 200 OK\r\nallow: GET, HEAD, POST, PUT, CONNECT\r\ncontent-length: 0\r\n\r\n',
)
