import { connect } from 'node:net'
import { patient } from './patience.ts'

/** A TCP connection to a port of 127.0.0.1, read by the byte: for what no library would send or take. */
export interface RawClient {
  write(bytes: Uint8Array | string): void
  /** The next so many bytes, or what there was when the other side ended. */
  read(length: number): Promise<Buffer>
  /** All that comes before the other side ends or breaks off. */
  rest(): Promise<Buffer>
  /** Ends our direction. */
  end(): void
  destroy(): void
  readonly closed: Promise<void>
}

const limitMs = 30_000

export function rawClient(port: number): Promise<RawClient> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true })
    let heard: Buffer = Buffer.alloc(0)
    let ended = false
    let look = () => {}
    const { promise: closed, resolve: close } = Promise.withResolvers<void>()
    const finish = () => {
      ended = true
      look()
    }
    socket.on('data', (chunk: Buffer) => {
      heard = Buffer.concat([heard, chunk])
      look()
    })
    socket.on('end', finish)
    socket.on('close', () => {
      finish()
      close()
    })
    socket.on('error', error => reject(error))
    const take = (length: number) =>
      new Promise<Buffer>((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new Error(`of ${length} bytes ${heard.length} came within ${limitMs} ms`)),
          patient(limitMs),
        )
        look = () => {
          if (heard.length < length && !ended) return
          clearTimeout(timer)
          look = () => {}
          resolve(heard.subarray(0, length))
          heard = heard.subarray(length)
        }
        look()
      })
    socket.on('connect', () =>
      resolve({
        write: bytes => void socket.write(bytes),
        read: take,
        rest: () => take(Number.POSITIVE_INFINITY),
        end: () => void socket.end(),
        destroy: () => void socket.destroy(),
        closed,
      }),
    )
  })
}
