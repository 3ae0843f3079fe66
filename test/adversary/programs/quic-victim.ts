import { createInterface } from 'node:readline'
import type { Endpoint } from '../../../tunnel/net/endpoint.ts'
import { QuicConnection } from '../../../tunnel/quic/connection.ts'
import { type EngineName, loadEngine } from '../../../tunnel/quic/engines/engines.ts'
import type { Role } from '../../../tunnel/quic/tuning.ts'
import { awaitHello, sayHello } from '../../../tunnel/session/hello.ts'

// One end of a tunnel, whose other end turns on it. Prints its port, is told its peer's, and says what it took when it
// is asked.

interface Spec {
  role: Role
  address: string
  key: string
  certificate: string
  /** SHA-256 of the peer's certificate. */
  pin: string
  engine?: EngineName
}

const spec = JSON.parse(process.argv[2]!) as Spec
const say = (told: object) => console.log(JSON.stringify(told))
const { role, address, pin } = spec
const identity = { key: Buffer.from(spec.key), certificate: Buffer.from(spec.certificate), fingerprint: '' }
const early: Uint8Array[] = []
const opening = loadEngine(spec.engine).then(async engine => {
  const socket = await engine.openSocket({ address })
  // The peer may be quicker: what comes before QUIC begins is kept, as a punch keeps it.
  socket.onDatagram = datagram => early.push(new Uint8Array(datagram))
  say({ port: socket.local.port })
  return { engine, socket }
})

/** The most memory held so far, and the most time of this process's own between two turns of its loop. */
let memoryMb = 0
let stillMs = 0
let cpuAt = process.cpuUsage()
const look = () => {
  const { user, system } = process.cpuUsage(cpuAt)
  stillMs = Math.max(stillMs, Math.round((user + system) / 1000))
  memoryMb = Math.max(memoryMb, Math.round(process.memoryUsage.rss() / 1e6))
  cpuAt = process.cpuUsage()
}

async function run(peer: Endpoint): Promise<void> {
  const { engine, socket } = await opening
  const connection = await QuicConnection.connect({ engine, socket, peer, identity, pin, role, early })
  if (role === 'server') await awaitHello(connection)
  else {
    connection.onStream = stream => stream.attach({ data() {}, end() {}, drain() {}, close() {} })
    const about = { region: 'local-1', address, remaining_ms: 60_000, memory_mb: 128, request_id: 'r' }
    sayHello(connection, about)
  }
  look()
  stillMs = 0
  setInterval(look, 10)
  const { code } = await connection.closed
  closed = code
}

let closed: string | undefined
createInterface({ input: process.stdin }).on('line', line => {
  const told = JSON.parse(line) as { port?: number }
  if (told.port !== undefined) void run({ address, port: told.port })
  else say({ memoryMb, stillMs, closed })
})
