/** What this project uses of the `socksv5` package: its parser of a client's greeting and request. */
declare module 'socksv5/lib/server.parser.js' {
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

  /** An event's name, and what comes with it. */
  export type SocksTold =
    | [event: 'methods', methods: Buffer]
    | [event: 'request', request: SocksRequest]
    | [event: 'error', error: Error]

  /** Reads from `stream` while it is started. */
  export default class Parser {
    /** Called with each event: an EventEmitter's, which may be replaced. */
    emit: (...told: SocksTold) => boolean
    /** Set once a method was agreed: what comes next is the request. */
    authed: boolean
    constructor(stream: SocksStream)
    start(): void
    stop(): void
  }
}
