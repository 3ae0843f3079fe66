import { admitCandidates } from '../tunnel/nat/ice/candidates.ts'
import { CodedError } from '../tunnel/net/coded-error.ts'
import { type DnsServer, parseDnsServer } from '../tunnel/net/dns-server.ts'
import { formatEndpoint } from '../tunnel/net/endpoint.ts'
import { closeCodes } from '../tunnel/quic/close-codes.ts'
import type { QuicConnection } from '../tunnel/quic/connection.ts'
import type { Engine } from '../tunnel/quic/engine.ts'
import { loadEngine } from '../tunnel/quic/engines/engines.ts'
import { functionTuning } from '../tunnel/quic/tuning.ts'
import { establish } from '../tunnel/session/establish.ts'
import { sayHello } from '../tunnel/session/hello.ts'
import type { SignalBucket } from '../tunnel/signalling/bucket.ts'
import { type Answer, type Offer, readCandidates, type Side } from '../tunnel/signalling/documents.ts'
import type { Starter } from '../tunnel/signalling/offer-record.ts'
import { RefusalError } from '../tunnel/signalling/refusal.ts'
import { type ExitLocation, locateExit } from './locate.ts'
import type { Log } from './log.ts'
import { createResolver } from './resolve.ts'
import { createRoom, type Room, roomSize } from './room.ts'
import { descriptors, peakMemoryMb, readRuntime } from './runtime.ts'
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
  /** What started the function. */
  startedBy: Starter
  /** Milliseconds from S3's time of the event to the handler's start, by two clocks. */
  eventAgeMs?: number | undefined
  log: Log
}

/** With this much left the client is told that the function is ending. Milliseconds. */
const drainAtMs = 10_000
/** With this much left what is still open is closed, so that the end is ours and not Lambda's. Milliseconds. */
const closeAtMs = 1_500

/** Runs one session: answers the offer, punches, dials, serves until bye, loss of the peer, or the deadline. */
export async function runExit(options: ExitOptions): Promise<void> {
  const { offer, bucket, settings, invocation, log } = options
  const dnsServer = offer.dns ? parseDnsServer(offer.dns) : settings.dnsServer
  const { allowPrivate } = settings
  const exchange = async (side: Side, here: ExitLocation): Promise<Offer | undefined> => {
    // Before the answer, so that the client is told.
    admitCandidates(readCandidates(offer.candidates), { mapped: here.mapped, allowPrivate })
    const answer = answerOf(side, here, options)
    if (!(await bucket.putAnswer(answer))) {
      log.info('offer is answered already: this delivery is a duplicate')
      return undefined
    }
    tellAnswer(log, answer, offer)
    return offer
  }
  const established = await establish({
    id: offer.session_id,
    role: 'client',
    engine: await engineOf(settings),
    tuning: functionTuning(invocation.memoryMb),
    allowPrivate,
    locate: socket =>
      locateExit(socket, settings, error => log.warn('no TURN server lends an address', { ...error })),
    exchange,
    onPunched({ nominated, stats }) {
      log.info('punched', { candidate: nominated.kind, ...stats })
      log.debug('nominated', { nominated: formatEndpoint(nominated) })
    },
    onMoved: ({ kind }) => log.info('moved to a direct path', { candidate: kind }),
  })
  if (!established) return
  const { connection, here } = established
  log.info('connected', { engine: connection.engine.name })
  const reason = await serve(connection, {
    dnsServer,
    mapped: here.mapped.address,
    settings,
    invocation,
    log,
  })
  log.info('ended', { reason, peakMb: peakMemoryMb() })
}

// --- internal ---

/** A bundle carries one engine: a setting that asks for another is wrong, and whoever made it is told. */
async function engineOf({ engine }: Settings): Promise<Engine> {
  try {
    return await loadEngine(engine)
  } catch (error) {
    if (engine === undefined || !(error instanceof CodedError)) throw error
    const reason = `the function's setting QUIC_ENGINE: ${error.message}`
    throw new RefusalError('E_EXIT_SETTINGS', reason, { cause: error })
  }
}

function answerOf(
  side: Side,
  here: ExitLocation,
  { invocation, startedBy, eventAgeMs }: ExitOptions,
): Answer {
  const { mapped, local, views, receiveBufferBytes } = here
  return {
    ...side,
    function_ip: mapped.address,
    function_port: mapped.port,
    started_at: invocation.startedAt,
    cold: invocation.cold,
    guessed: views.length === 0,
    local_port: local.port,
    stun_views: views.map(({ server, mapped, rttMs }) => ({
      server: server.slice(0, 255),
      ...mapped,
      rtt_ms: Math.round(rttMs),
    })),
    started_by: startedBy,
    ...(eventAgeMs !== undefined && { event_age_ms: eventAgeMs }),
    ...(invocation.cold && {
      runtime: { ...readRuntime(), ...(receiveBufferBytes && { receive_buffer_bytes: receiveBufferBytes }) },
    }),
  }
}

/** Every user's policy lets the log be read: the client's address is for DEBUG. */
function tellAnswer(log: Log, answer: Answer, offer: Offer): void {
  const { mapping, guessed, local_port, stun_views, started_by, event_age_ms, runtime } = answer
  const { client_ip, client_port } = offer
  if (guessed) log.warn('no STUN server answered: the address is a guess')
  log.info('answered', {
    public: `${answer.function_ip}:${answer.function_port}`,
    localPort: local_port,
    stunViews: stun_views,
    mapping,
    guessed,
    clientMapping: offer.mapping,
    startedBy: started_by,
    eventAgeMs: event_age_ms,
    ...(runtime && { runtime }),
  })
  log.debug('answered', { client: formatEndpoint({ address: client_ip, port: client_port }) })
}

interface ServeContext {
  dnsServer: DnsServer
  mapped: string
  settings: Settings
  invocation: Invocation
  log: Log
}

/** One for all sessions of the process. */
let shared: Room | undefined
function roomOf({ memoryMb }: Invocation): Room {
  shared ??= createRoom(roomSize(memoryMb, descriptors))
  return shared
}

async function serve(
  connection: QuicConnection,
  { dnsServer, mapped, settings, invocation, log }: ServeContext,
): Promise<string> {
  const timers: ReturnType<typeof setTimeout>[] = []
  const at = (remaining: number, action: () => void) =>
    timers.push(setTimeout(action, Math.max(0, invocation.remainingMs() - remaining)))

  const resolver = createResolver(dnsServer, settings.allowPrivate)
  connection.onStream = streamServer(connection, { resolver, room: roomOf(invocation), log })
  const control = sayHello(connection, {
    region: settings.region,
    address: mapped,
    remaining_ms: Math.max(0, invocation.remainingMs()),
    memory_mb: invocation.memoryMb,
    architecture: process.arch === 'arm64' ? 'arm64' : 'x86_64',
    request_id: invocation.requestId,
  })
  control.onMessage = message => {
    if (message.type === 'ping') control.send({ type: 'pong', id: message.id })
    if (message.type === 'bye') connection.close(closeCodes.bye)
    if (message.type === 'welcome') log.info('welcomed', { clientEngine: message.engine })
  }
  at(drainAtMs, () => {
    log.info('draining', { streams: connection.streams })
    control.send({ type: 'drain', remaining_ms: Math.max(0, invocation.remainingMs() - closeAtMs) })
  })
  at(closeAtMs, () => connection.close(closeCodes.deadline))
  const { code, message } = await connection.closed
  for (const timer of timers) clearTimeout(timer)
  return `${code}: ${message}`
}
