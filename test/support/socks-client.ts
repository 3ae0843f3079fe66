import { connect, type Socket } from 'node:net'
import { patient } from './patience.ts'

// A SOCKS5 client of the tests' own (RFC 1928, RFC 1929): names go to the proxy as they are.

/** The proxy's reply was not "succeeded", or it hung up. */
export class SocksError extends Error {
  override name = 'SocksError'
  constructor(
    readonly reply: number | undefined,
    message: string,
  ) {
    super(message)
  }
}

export interface SocksOptions {
  /** Port of the proxy on 127.0.0.1. */
  proxy: number
  host: string
  port: number
  /** A user name to log in with; the password is empty but for one letter. */
  user?: string
  limitMs?: number
}

/** Connects through the proxy. The socket comes paused: what the target sends is still in it. */
export function socksConnect({ proxy, host, port, user, limitMs = 45_000 }: SocksOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: proxy, noDelay: true })
    let heard: Buffer = Buffer.alloc(0)
    let step: 'method' | 'login' | 'reply' = 'method'
    const fail = (message: string, reply?: number) => {
      clearTimeout(timer)
      socket.destroy()
      reject(new SocksError(reply, message))
    }
    const timer = setTimeout(() => fail(`no reply within ${limitMs} ms`), patient(limitMs))
    const request = () => {
      const name = Buffer.from(host)
      socket.write(
        Buffer.concat([Buffer.of(5, 1, 0, 3, name.length), name, Buffer.of(port >> 8, port & 255)]),
      )
      step = 'reply'
    }
    const onData = (chunk: Buffer) => {
      heard = Buffer.concat([heard, chunk])
      if (step === 'method' && heard.length >= 2) {
        const method = heard[1]
        heard = heard.subarray(2)
        if (method === 0) request()
        else if (method === 2 && user !== undefined) {
          const name = Buffer.from(user)
          socket.write(Buffer.concat([Buffer.of(1, name.length), name, Buffer.of(1, 0x78)]))
          step = 'login'
        } else fail(`the proxy asks for method ${method}`)
      }
      if (step === 'login' && heard.length >= 2) {
        if (heard[1] !== 0) return fail('the proxy refuses the login')
        heard = heard.subarray(2)
        request()
      }
      if (step === 'reply' && heard.length >= 5) {
        const address = { 1: 4, 3: 1 + heard[4]!, 4: 16 }[heard[3]!] ?? 0
        const length = 4 + address + 2
        if (heard.length < length) return
        if (heard[1] !== 0) return fail(`SOCKS reply ${heard[1]}`, heard[1])
        clearTimeout(timer)
        socket.off('data', onData).off('close', onClose).pause()
        if (heard.length > length) socket.unshift(heard.subarray(length))
        resolve(socket)
      }
    }
    const onClose = () => fail('the proxy hung up')
    socket.on('error', () => {})
    socket.on('connect', () => socket.write(user === undefined ? Buffer.of(5, 1, 0) : Buffer.of(5, 2, 0, 2)))
    socket.on('data', onData)
    socket.on('close', onClose)
  })
}
