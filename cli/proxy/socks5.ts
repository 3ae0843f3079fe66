import { EventEmitter } from 'node:events'
import Parser, { type SocksRequest } from 'socksv5/lib/server.parser.js'
import type { Target } from '../../tunnel/frames/address.ts'
import { encodeReply, type Reply, type ReplyCode, reply, unbound } from '../../tunnel/frames/reply.ts'

const version = 5
const noAuthentication = 0
const noAcceptableMethod = 0xff

/** What the SOCKS5 side of a connection asks of the proxy. */
export interface SocksHandler {
  write(bytes: Uint8Array): void
  /** A CONNECT; `rest` is what the application sent after it without waiting. */
  connect(target: Target, rest: Uint8Array): void
  /** The client cannot be served; what there is to say has been written. */
  fail(reason: string): void
}

/** A SOCKS5 reply: VER, REP, RSV, ATYP, BND.ADDR, BND.PORT (RFC 1928, section 6). */
export function socksReply(answer: Reply): Uint8Array {
  const tail = encodeReply(answer)
  return Buffer.concat([Buffer.of(version, tail[0]!, 0), tail.subarray(1)])
}

/**
 * Reads a SOCKS5 client's greeting and request (RFC 1928) by the `socksv5` package's parser; the replies
 * are ours. Gives the function that takes the client's bytes.
 */
export function socksServer(handler: SocksHandler): (chunk: Uint8Array) => void {
  const feed = new Feed()
  const parser = new Parser(feed)
  let over = false

  const fail = (reason: string, answer?: Uint8Array) => {
    if (over) return
    over = true
    parser.stop()
    if (answer) handler.write(answer)
    handler.fail(reason)
  }
  const refuse = (code: ReplyCode, reason: string) => fail(reason, socksReply({ code, bound: unbound }))

  parser.on('methods', (methods: Buffer) => {
    if (!methods.includes(noAuthentication))
      return fail(
        'the client offers no way to log in that this port takes',
        Buffer.of(version, noAcceptableMethod),
      )
    handler.write(Buffer.of(version, noAuthentication))
    parser.authed = true
    parser.start()
  })
  parser.on('request', ({ cmd, dstAddr, dstPort }: SocksRequest) => {
    if (cmd !== 'connect') return refuse(reply.commandNotSupported, `SOCKS5 ${cmd} is not supported`)
    if (!/^[^\s\p{Cc}]+$/u.test(dstAddr)) return refuse(reply.failure, 'the name is empty or malformed')
    over = true
    handler.connect({ host: dstAddr, port: dstPort }, feed.rest)
  })
  parser.on('error', ({ message }: Error) => {
    if (message.includes('command')) refuse(reply.commandNotSupported, message)
    else if (message.includes('address type')) refuse(reply.addressTypeNotSupported, message)
    else fail(message)
  })
  return chunk => {
    feed.push(chunk)
    // The parser gives back what follows the greeting; with it started again, the request may be in there.
    while (!over && feed.rest.length > 0) feed.push(new Uint8Array())
  }
}

// --- internal ---

/** The stream that the parser believes it reads from. */
class Feed extends EventEmitter {
  rest: Uint8Array = new Uint8Array()

  push(chunk: Uint8Array): void {
    const bytes = Buffer.concat([this.rest, chunk])
    this.rest = new Uint8Array()
    this.emit('data', bytes)
  }

  unshift(bytes: Buffer): void {
    this.rest = bytes
  }

  pause(): void {}
  resume(): void {}
}
