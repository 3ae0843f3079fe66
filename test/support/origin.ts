import { createCipheriv } from 'node:crypto'
import { createServer, type Socket } from 'node:net'
import { patient } from './patience.ts'
import { type SocksOptions, socksConnect } from './socks-client.ts'

// A server that sends known bytes, and the client that counts and compares them. The first line of a
// connection says how many, and how many a second at most: `<bytes> <rate>\n`.

export interface Origin {
  port: number
  close(): void
}

const tickMs = 50
/** A connection on which nothing comes for so long, nor its end, is given up. Milliseconds. */
const stallMs = patient(60_000)
const largest = 64 * 1024

/** Starts it at a free port. */
export function startOrigin(host = '127.0.0.1'): Promise<Origin> {
  const open = new Set<Socket>()
  const server = createServer(socket => {
    open.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => open.delete(socket))
    let line = ''
    const onData = (chunk: Buffer) => {
      line += chunk.toString('latin1')
      if (!line.includes('\n')) return
      socket.off('data', onData).resume()
      const [bytes = 0, rate = 0] = line.trim().split(' ').map(Number)
      pour(socket, bytes, rate || Number.POSITIVE_INFINITY)
    }
    socket.on('data', onData)
  })
  return new Promise(resolve =>
    server.listen({ host, port: 0, backlog: 1024 }, () => {
      const address = server.address()
      resolve({
        port: typeof address === 'object' && address ? address.port : 0,
        close() {
          server.close()
          for (const socket of open) socket.destroy()
        },
      })
    }),
  )
}

export interface FetchOptions extends Omit<SocksOptions, 'host' | 'port'> {
  origin: Origin
  /** 127.0.0.1 by default; another address that leads there serves as another site. */
  host?: string
  bytes: number
  /** Bytes a second; as fast as it goes by default. */
  rate?: number
  /** Called with all that has come so far. */
  onProgress?: (received: number) => void
  /** Called when the proxy has replied. */
  onOpen?: () => void
}

export interface Fetched {
  received: number
  /** Bytes that were not those that the origin sends there. */
  wrong: number
  /** False when the connection broke before the end. */
  complete: boolean
  connectMs: number
}

/** Fetches through the proxy. Rejects with a SocksError when there is no connection; one that breaks later is told. */
export async function fetchBytes({ origin, host = '127.0.0.1', ...options }: FetchOptions): Promise<Fetched> {
  const { bytes, rate = 0, onProgress, onOpen } = options
  const started = performance.now()
  const socket = await socksConnect({ ...options, host, port: origin.port })
  const connectMs = performance.now() - started
  onOpen?.()
  const expected = keystream()
  let received = 0
  let wrong = 0
  socket.on('data', (chunk: Buffer) => {
    const right = expected(chunk.length)
    if (!right.equals(chunk)) for (let i = 0; i < chunk.length; i++) if (right[i] !== chunk[i]) wrong++
    received += chunk.length
    onProgress?.(received)
  })
  socket.setTimeout(stallMs, () => socket.destroy())
  socket.write(`${bytes} ${rate}\n`)
  socket.resume()
  return new Promise(resolve => {
    let ended = false
    socket.on('end', () => {
      ended = true
      socket.end()
    })
    socket.on('close', () => resolve({ received, wrong, complete: ended && received === bytes, connectMs }))
  })
}

// --- internal ---

/** The next so many of bytes that both ends know. */
function keystream(): (length: number) => Buffer {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16))
  return length => cipher.update(zeros.subarray(0, length)) as Buffer
}

const zeros = Buffer.alloc(1024 * 1024)

function pour(socket: Socket, bytes: number, rate: number): void {
  const next = keystream()
  const started = performance.now()
  let sent = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  const more = () => {
    const due = Math.min(bytes, ((performance.now() - started + tickMs) * rate) / 1_000)
    while (sent < due) {
      const part = next(Math.min(largest, Math.ceil(due - sent)))
      sent += part.length
      if (!socket.write(part)) return void socket.once('drain', more)
    }
    if (sent >= bytes) socket.end()
    else timer = setTimeout(more, tickMs)
  }
  socket.on('close', () => clearTimeout(timer))
  more()
}
