import Parser, { type SocksRequest, type SocksStream, type SocksTold } from 'socksv5/lib/server.parser.js'
import type { Target } from '../../../../tunnel/session/frames/address.ts'
import {
  encodeReply,
  type Reply,
  type ReplyCode,
  reply,
  unbound,
} from '../../../../tunnel/session/frames/reply.ts'
import type { Access, Admission } from '../../accounts/access.ts'
import type { Rejection, RejectionCode } from '../rejection.ts'
import { loginReply, readSocksLogin, type SocksLogin } from './login.ts'

const version = 5
const method = { none: 0, login: 2, noneAcceptable: 0xff } as const
/** CONNECT, BIND and UDP ASSOCIATE (RFC 1928, section 4). */
const commands = new Set<number | undefined>([1, 2, 3])

/** What the SOCKS5 side of a connection asks of the proxy. */
export interface SocksHandler {
  access: Access
  write(bytes: Uint8Array): void
  /** While a login is being checked nothing more is read (true); afterwards it is again (false). */
  hold(held: boolean): void
  /** A CONNECT; `client` is who logged in, `rest` what the application sent without waiting. */
  connect(target: Target, client: SocksClient, rest: Uint8Array): void
  /** A UDP ASSOCIATE; `from` is where the client says that its packets will come from, zeros where it does not know. */
  associate(from: Target, client: SocksClient): void
  /** The client cannot be served; what there is to say has been written. */
  fail(rejection: Rejection): void
}

/** Who asks: the name it gave, parameters and all, and whose login it was, where one is needed. */
export interface SocksClient extends Admission {
  user?: string | undefined
}

/** A SOCKS5 reply: VER, REP, RSV, ATYP, BND.ADDR, BND.PORT (RFC 1928, section 6). */
export const socksReply = ({ code, bound }: Reply): Uint8Array => encodeReply({ code, bound }, [version])

/** None of the client's methods will do (RFC 1928, section 3): what there is to say before a request. */
export const noAcceptableMethod: Uint8Array = Uint8Array.of(version, method.noneAcceptable)

/** SOCKS4's own refusal: version 0, code 91, and an address that says nothing. */
export const socks4Refusal: Uint8Array = Uint8Array.of(0, 91, 0, 0, 0, 0, 0, 0)

/**
 * Reads a SOCKS5 client's greeting and request (RFC 1928) by the `socksv5` package's parser, and its
 * login (RFC 1929); the replies are ours.
 */
export class SocksServer {
  readonly #handler: SocksHandler
  readonly #feed = new Feed()
  readonly #parser: Parser = new Parser(this.#feed)
  #client: SocksClient = {}
  #loggingIn = false
  #checking = false
  #over = false

  constructor(handler: SocksHandler) {
    this.#handler = handler
    // It has this one listener, for all that it tells.
    this.#parser.emit = (...told) => this.#hear(told)
  }

  /** The client's bytes, which are copied. */
  take(chunk: Uint8Array): void {
    const { rest } = this.#feed
    this.#feed.rest = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk])
    this.#read()
  }

  /** Nothing more is done. */
  gone(): void {
    this.#over = true
  }

  // --- internal ---

  #read(): void {
    const feed = this.#feed
    // The parser gives back what follows the greeting: the login or the request may be in there.
    for (
      let before = -1;
      !this.#over && !this.#checking && feed.rest.length > 0 && feed.rest.length !== before;
    ) {
      before = feed.rest.length
      if (this.#loggingIn) this.#logIn()
      else feed.flow()
    }
  }

  #hear(told: SocksTold): boolean {
    if (told[0] === 'methods') this.#greeted(told[1])
    else if (told[0] === 'request') this.#asked(told[1])
    else this.#notRead()
    return true
  }

  #greeted(methods: Buffer): void {
    // A login that is not needed still says which exit is wanted.
    if (methods.includes(method.login)) {
      this.#loggingIn = true
      return void this.#handler.write(methodReply.login)
    }
    if (this.#handler.access.required || !methods.includes(method.none))
      return void this.#fail(
        'E_LOGIN_REQUIRED',
        'the client offers no way to log in that this port takes',
        noAcceptableMethod,
      )
    this.#handler.write(methodReply.none)
    this.#expectRequest()
  }

  #logIn(): void {
    const feed = this.#feed
    try {
      const login = readSocksLogin(feed.rest)
      if (!login) return
      feed.rest = feed.rest.subarray(login.length)
      void this.#check(login)
    } catch (error) {
      this.#fail('E_CLIENT_MALFORMED', (error as Error).message, loginReply(false))
    }
  }

  async #check({ user, password }: SocksLogin): Promise<void> {
    const handler = this.#handler
    this.#checking = true
    handler.hold(true)
    const admission = await handler.access.admit(user, password)
    this.#checking = false
    if (this.#over) return
    handler.hold(false)
    if (!admission) return this.#fail('E_LOGIN_WRONG', 'wrong user name or password', loginReply(false))
    this.#client = { user, ...admission }
    handler.write(loginReply(true))
    this.#expectRequest()
    this.#read()
  }

  #expectRequest(): void {
    this.#loggingIn = false
    this.#parser.authed = true
    this.#feed.read = nothing
    this.#parser.start()
  }

  #asked({ cmd, dstAddr, dstPort }: SocksRequest): void {
    if (cmd === 'bind')
      return void this.#refuse('E_SOCKS_COMMAND', reply.commandNotSupported, 'SOCKS5 BIND is not supported')
    this.#over = true
    const target = { host: dstAddr, port: dstPort }
    if (cmd === 'udp') this.#handler.associate(target, this.#client)
    else this.#handler.connect(target, this.#client, this.#feed.rest)
  }

  /** The parser tells by its words alone what it could not read: the bytes say the same. */
  #notRead(): void {
    const [clientVersion, second, , fourth] = this.#feed.read
    if (clientVersion !== version)
      this.#fail('E_CLIENT_MALFORMED', `SOCKS version ${clientVersion} is not known, only ${version}`)
    else if (!this.#parser.authed)
      this.#fail('E_CLIENT_MALFORMED', 'the client offers no way to log in', noAcceptableMethod)
    else if (!commands.has(second))
      this.#refuse('E_SOCKS_COMMAND', reply.commandNotSupported, `SOCKS5 command ${second} is not known`)
    else
      this.#refuse(
        'E_SOCKS_ADDRESS_TYPE',
        reply.addressTypeNotSupported,
        `SOCKS5 address type ${fourth} is not known`,
      )
  }

  #refuse(rejection: RejectionCode, code: ReplyCode, message: string): void {
    this.#fail(rejection, message, socksReply({ code, bound: unbound }))
  }

  #fail(code: RejectionCode, message: string, answer?: Uint8Array): void {
    if (this.#over) return
    this.#over = true
    this.#parser.stop()
    if (answer) this.#handler.write(answer)
    this.#handler.fail({ code, message })
  }
}

// --- internal ---

/** What the client is told of the method that was agreed. */
const methodReply = { none: Uint8Array.of(version, method.none), login: Uint8Array.of(version, method.login) }

const nothing: Buffer = Buffer.alloc(0)

/** The stream that the parser believes it reads from. */
class Feed implements SocksStream {
  #onData: ((bytes: Buffer) => void) | undefined
  /** What has not been read. */
  rest: Buffer = nothing
  /** What the parser has been given of the greeting, or of the request. */
  read: Buffer = nothing

  flow(): void {
    const bytes = this.rest
    this.rest = nothing
    this.read = this.read.length === 0 ? bytes : Buffer.concat([this.read, bytes])
    this.#onData?.(bytes)
  }

  on(_event: 'data', listener: (bytes: Buffer) => void): void {
    this.#onData = listener
  }

  removeListener(): void {
    this.#onData = undefined
  }

  unshift(bytes: Buffer): void {
    this.rest = bytes
  }

  pause(): void {}
  resume(): void {}
}
