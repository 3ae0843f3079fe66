import { createInterface } from 'node:readline'
import type { Endpoint } from '../../../tunnel/net/endpoint.ts'
import { QuicConnection } from '../../../tunnel/quic/connection.ts'
import { type EngineName, loadEngine } from '../../../tunnel/quic/engines/engines.ts'
import type { Role } from '../../../tunnel/quic/tuning.ts'
import { awaitHello, sayHello } from '../../../tunnel/session/hello.ts'

// One end of a tunnel, whose other end turns on it. Prints its port, is told its peer's, and then four times a second what
// memory it holds, and the longest time for which its loop stood still.

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
const engine = await loadEngine(spec.engine)
const socket = await engine.openSocket({ address })
say({ port: socket.local.port })

const [line] = await new Promise<string[]>(resolve => {
  createInterface({ input: process.stdin }).once('line', told => resolve([told]))
})
const peer: Endpoint = { address, port: (JSON.parse(line!) as { port: number }).port }

let lastAt = performance.now()
let stillMs = 0
setInterval(() => {
  const now = performance.now()
  stillMs = Math.max(stillMs, now - lastAt)
  lastAt = now
}, 10)

const connection = await QuicConnection.connect({ engine, socket, peer, identity, pin, role })
if (role === 'server') await awaitHello(connection)
else {
  connection.onStream = stream => stream.attach({ data() {}, end() {}, drain() {}, close() {} })
  const about = { region: 'local-1', address, remaining_ms: 60_000, memory_mb: 128, request_id: 'r' }
  sayHello(connection, about)
}
const tell = () =>
  say({ memoryMb: Math.round(process.memoryUsage.rss() / 1e6), stillMs: Math.round(stillMs) })
tell()
stillMs = 0
setInterval(tell, 250)
void connection.closed.then(reason => {
  tell()
  say({ closed: reason })
})
