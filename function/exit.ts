import { newIceCredentials } from '../tunnel/nat/ice/credentials.ts'
import { punch } from '../tunnel/nat/ice/punch.ts'
import { discover } from '../tunnel/nat/stun/discover.ts'
import { mappingOf } from '../tunnel/nat/stun/mapping.ts'
import { type DnsServer, parseDnsServer } from '../tunnel/net/dns-server.ts'
import { formatEndpoint } from '../tunnel/net/endpoint.ts'
import { openUdpSocket } from '../tunnel/net/udp/open.ts'
import type { QuicConnection } from '../tunnel/quic/connection.ts'
import { createIdentity } from '../tunnel/quic/identity.ts'
import { controlStream } from '../tunnel/session/control-stream.ts'
import { controlVersion } from '../tunnel/session/frames/control.ts'
import { link } from '../tunnel/session/link.ts'
import type { SignalBucket } from '../tunnel/signalling/bucket.ts'
import { type Answer, type Offer, sideOf } from '../tunnel/signalling/documents.ts'
import type { Log } from './log.ts'
import { createResolver } from './resolve.ts'
import { streamServer } from './serve.ts'
import type { Settings } from './settings.ts'

/** What the exit knows of its invocation. */
export interface Invocation {
  requestId: string
  memoryMb: number
  /** Milliseconds since 1970 at which the handler was called. */
  startedAt: number
  cold: boolean
  remainingMs(): number
}

export interface ExitOptions {
  offer: Offer
  bucket: SignalBucket
  settings: Settings
  invocation: Invocation
  log: Log
}

/** With this much left the client is told that the function is ending. Milliseconds. */
const drainAtMs = 10_000
/** With this much left what is still open is closed, so that the end is ours and not Lambda's. Milliseconds. */
const closeAtMs = 1_500

/** Runs one session: answers the offer, punches, dials, serves until bye, loss of the peer, or the deadline. */
export async function runExit({ offer, bucket, settings, invocation, log }: ExitOptions): Promise<void> {
  const dnsServer = offer.dns ? parseDnsServer(offer.dns) : settings.dnsServer
  let socket = await openUdpSocket()
  try {
    const [identity, views] = await Promise.all([
      createIdentity(),
      discover(socket, settings.stunServers, { want: 2 }),
    ])
    const { mapped } = views[0]!
    const mapping = mappingOf(views)
    const local = newIceCredentials()
    const answer: Answer = {
      ...sideOf(offer.session_id, { mapped, mapping, credentials: local, identity }),
      function_ip: mapped.address,
      function_port: mapped.port,
      started_at: invocation.startedAt,
      cold: invocation.cold,
    }
    if (!(await bucket.putAnswer(answer)))
      return log.info('offer is answered already: this delivery is a duplicate')
    log.info('answered', {
      public: formatEndpoint(mapped),
      mapping,
      client: `${offer.client_ip}:${offer.client_port}`,
      clientMapping: offer.mapping,
    })

    const remote = { ufrag: offer.ice_ufrag, password: offer.ice_password }
    const punched = await punch(socket, {
      local,
      remote,
      candidates: offer.candidates,
      controlling: false,
      mapping: { local: mapping, remote: offer.mapping },
    })
    socket = punched.socket
    log.info('punched', { nominated: formatEndpoint(punched.nominated), ...punched.stats })
    const connection = await link({ punched, identity, pin: offer.certificate_sha256, role: 'client' })
    log.info('connected')
    const reason = await serve(connection, {
      dnsServer,
      mapped: mapped.address,
      settings,
      invocation,
      log,
    })
    log.info('ended', { reason })
  } finally {
    socket.close()
  }
}

// --- internal ---

interface ServeContext {
  dnsServer: DnsServer
  mapped: string
  settings: Settings
  invocation: Invocation
  log: Log
}

async function serve(
  connection: QuicConnection,
  { dnsServer, mapped, settings, invocation, log }: ServeContext,
): Promise<string> {
  const timers: ReturnType<typeof setTimeout>[] = []
  const at = (remaining: number, action: () => void) =>
    timers.push(setTimeout(action, Math.max(0, invocation.remainingMs() - remaining)))

  const resolver = createResolver(dnsServer, settings.allowPrivate)
  connection.onStream = streamServer(connection, { resolver, log })
  const control = controlStream(connection, connection.open())
  control.onMessage = message => {
    if (message.type === 'ping') control.send({ type: 'pong', id: message.id })
    if (message.type === 'bye') connection.close('bye')
  }
  control.send({
    type: 'hello',
    version: controlVersion,
    region: settings.region,
    address: mapped,
    remaining_ms: Math.max(0, invocation.remainingMs()),
    memory_mb: invocation.memoryMb,
    request_id: invocation.requestId,
  })
  at(drainAtMs, () => {
    log.info('draining', { streams: connection.streams })
    control.send({ type: 'drain', remaining_ms: Math.max(0, invocation.remainingMs() - closeAtMs) })
  })
  at(closeAtMs, () => connection.close('deadline'))
  const { kind, message } = await connection.closed
  for (const timer of timers) clearTimeout(timer)
  return `${kind}: ${message}`
}
