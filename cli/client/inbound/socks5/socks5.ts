import Parser, { type SocksRequest, type SocksStream } from 'socksv5/lib/server.parser.js'
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
export function socksServer(handler: SocksHandler): SocksReader {
  const { access } = handler
  const feed = new Feed()
  const parser = new Parser(feed)
  let client: SocksClient = {}
  let loggingIn = false
  let checking = false
  let over = false

  const fail = (code: RejectionCode, message: string, answer?: Uint8Array) => {
    if (over) return
    over = true
    parser.stop()
    if (answer) handler.write(answer)
    handler.fail({ code, message })
  }
  const refuse = (rejection: RejectionCode, code: ReplyCode, message: string) =>
    fail(rejection, message, socksReply({ code, bound: unbound }))
  const expectRequest = () => {
    loggingIn = false
    parser.authed = true
    feed.read = Buffer.alloc(0)
    parser.start()
  }
  const logIn = () => {
    try {
      const login = readSocksLogin(feed.rest)
      if (!login) return
      feed.rest = feed.rest.subarray(login.length)
      void check(login)
    } catch (error) {
      fail('E_CLIENT_MALFORMED', (error as Error).message, loginReply(false))
    }
  }
  const check = async ({ user, password }: SocksLogin) => {
    checking = true
    handler.hold(true)
    const admission = await access.admit(user, password)
    checking = false
    if (over) return
    handler.hold(false)
    if (!admission) return fail('E_LOGIN_WRONG', 'wrong user name or password', loginReply(false))
    client = { user, ...admission }
    handler.write(loginReply(true))
    expectRequest()
    read()
  }

  parser.on('methods', (methods: Buffer) => {
    // A login that is not needed still says which exit is wanted.
    if (methods.includes(method.login)) {
      loggingIn = true
      return handler.write(Buffer.of(version, method.login))
    }
    if (access.required || !methods.includes(method.none))
      return fail(
        'E_LOGIN_REQUIRED',
        'the client offers no way to log in that this port takes',
        noAcceptableMethod,
      )
    handler.write(Buffer.of(version, method.none))
    expectRequest()
  })
  parser.on('request', ({ cmd, dstAddr, dstPort }: SocksRequest) => {
    if (cmd === 'bind')
      return refuse('E_SOCKS_COMMAND', reply.commandNotSupported, 'SOCKS5 BIND is not supported')
    over = true
    const target = { host: dstAddr, port: dstPort }
    if (cmd === 'udp') handler.associate(target, client)
    else handler.connect(target, client, feed.rest)
  })
  // The parser tells by its words alone what it could not read: the bytes say the same.
  parser.on('error', () => {
    const [clientVersion, second, , fourth] = feed.read
    if (clientVersion !== version)
      fail('E_CLIENT_MALFORMED', `SOCKS version ${clientVersion} is not known, only ${version}`)
    else if (!parser.authed)
      fail('E_CLIENT_MALFORMED', 'the client offers no way to log in', noAcceptableMethod)
    else if (!commands.has(second))
      refuse('E_SOCKS_COMMAND', reply.commandNotSupported, `SOCKS5 command ${second} is not known`)
    else
      refuse(
        'E_SOCKS_ADDRESS_TYPE',
        reply.addressTypeNotSupported,
        `SOCKS5 address type ${fourth} is not known`,
      )
  })
  const read = () => {
    // The parser gives back what follows the greeting: the login or the request may be in there.
    for (let before = -1; !over && !checking && feed.rest.length > 0 && feed.rest.length !== before; ) {
      before = feed.rest.length
      if (loggingIn) logIn()
      else feed.flow()
    }
  }
  return {
    take(chunk) {
      feed.rest = Buffer.concat([feed.rest, chunk])
      read()
    },
    gone() {
      over = true
    },
  }
}

/** The client's bytes are taken here; nothing more is done once it is gone. */
export interface SocksReader {
  take(chunk: Uint8Array): void
  gone(): void
}

// --- internal ---

/** The stream that the parser believes it reads from. */
class Feed implements SocksStream {
  #onData: ((bytes: Buffer) => void) | undefined
  /** What has not been read. */
  rest: Buffer = Buffer.alloc(0)
  /** What the parser has been given of the greeting, or of the request. */
  read: Buffer = Buffer.alloc(0)

  flow(): void {
    const bytes = this.rest
    this.rest = Buffer.alloc(0)
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
