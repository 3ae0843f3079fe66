/** What this project uses of the `socksv5` package: its parser of a client's greeting and request. */
declare module 'socksv5/lib/server.parser.js' {
  import type { EventEmitter } from 'node:events'

  export interface SocksRequest {
    cmd: 'connect' | 'bind' | 'udp'
    dstAddr: string
    dstPort: number
  }

  /** What the parser asks of the stream that it reads. */
  export interface SocksStream {
    on(event: 'data', listener: (bytes: Buffer) => void): void
    removeListener(event: 'data', listener: (bytes: Buffer) => void): void
    unshift(bytes: Buffer): void
    pause(): void
    resume(): void
  }

  /** Emits 'methods' (Buffer), 'request' (SocksRequest) and 'error'; reads from `stream` while it is started. */
  export default class Parser extends EventEmitter {
    /** Set once a method was agreed: what comes next is the request. */
    authed: boolean
    constructor(stream: SocksStream)
    start(): void
    stop(): void
  }
}
