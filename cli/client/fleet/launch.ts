import type { Candidate, CandidateKind } from '../../../tunnel/nat/ice/candidate.ts'
import { PunchError } from '../../../tunnel/nat/ice/error.ts'
import type { PortMapper } from '../../../tunnel/nat/port-mapping/mapper.ts'
import type { StunServerName } from '../../../tunnel/nat/stun/server-name.ts'
import type { RelaySource } from '../../../tunnel/nat/turn/source.ts'
import { CodedError, type ErrorData, errorData } from '../../../tunnel/net/coded-error.ts'
import { formatEndpoint, sameEndpoint } from '../../../tunnel/net/endpoint.ts'
import { type CloseCode, closeCodes } from '../../../tunnel/quic/close-codes.ts'
import type { QuicConnection } from '../../../tunnel/quic/connection.ts'
import { type EngineName, loadEngine } from '../../../tunnel/quic/engines/engines.ts'
import type { Tuning } from '../../../tunnel/quic/tuning.ts'
import type { ControlStream } from '../../../tunnel/session/control-stream.ts'
import { establish } from '../../../tunnel/session/establish.ts'
import type { Hello } from '../../../tunnel/session/frames/control.ts'
import { awaitHello } from '../../../tunnel/session/hello.ts'
import type { SignalBucket } from '../../../tunnel/signalling/bucket.ts'
import { type Answer, candidateEntries, type Offer, type Side } from '../../../tunnel/signalling/documents.ts'
import type { Starter } from '../../../tunnel/signalling/offer-record.ts'
import type { Engines, Step } from '../stats/events.ts'
import { type ClientLocation, locateByAll, locateOnceMore } from './locate.ts'
import { answerLimit, awaitAnswer, type Trigger } from './trigger.ts'

export interface LaunchOptions {
  id: string
  bucket: SignalBucket
  stunServers: StunServerName[]
  /** Asks the router to open a port for the session; none where it is not to be asked. */
  portMapper?: PortMapper | undefined
  /** What lends the session an address, where a TURN server is named. */
  relay?: RelaySource | undefined
  /** The exit may have a private address, whatever this end's own is. */
  allowPrivate?: boolean
  tuning?: Tuning
  /** How the function is started; by S3's event alone by default. */
  trigger?: Trigger | undefined
  /**
   * How long the function may take to answer, in milliseconds; 30,000 by default (a cold start takes 1 to 3 s). Near a
   * deployment that the trigger knows of it is longer.
   */
  answerMs?: number | undefined
  /** What runs QUIC at this end; the preferred engine by default. */
  engine?: EngineName | undefined
  /** The public address that an earlier session saw: a guess for when no STUN server answers. */
  lastAddress?: string
  /** Where the exit is to look names up; its own resolver otherwise. */
  dns?: string
  signal?: AbortSignal
  /** A step is done. */
  onStep?: (step: Step, ms: number, detail: string, start?: FunctionStart) => void
  /** Called once the wait for the answer is long enough for a person to want to know. */
  onWaiting?: (limitMs: number) => void
  /** A TURN server lent the session an address, or none did, and why. */
  onRelay?: () => void
  onNoRelay?: (error: ErrorData) => void
  /** The path has moved, from a relay to a direct pair of this kind. */
  onMoved?: (candidate: CandidateKind) => void
  /** The function could not be invoked; S3's event is waited for all the same. */
  onNotInvoked?: (error: ErrorData) => void
}

/** What the answer tells of the function's start. */
export interface FunctionStart {
  /** Of the wait for the answer this went by before the function's code ran, as far as the two clocks agree. */
  functionStartMs: number
  /** An older function does not tell. */
  startedBy?: Starter
}

/** A session that is up. */
export interface Session {
  readonly id: string
  readonly connection: QuicConnection
  readonly hello: Hello
  /** When the function's time is up, on performance.now()'s clock. */
  readonly deadline: number
  readonly control: ControlStream
  /** This end's public address, where it is known. */
  readonly clientAddress: string | undefined
  /** How its packets go: what kind of address of the exit's they are sent to, or by a relay. */
  readonly candidate: CandidateKind
  /** The exit comes in by the port that this end's router opened. */
  readonly byOpenPort: boolean
  /** Says bye, so that the function stops being billed, and closes. */
  bye(message: string, closeCode?: CloseCode): void
}

/** How long the function may take to answer, unless somebody says otherwise. Milliseconds. */
const defaultAnswerMs = 30_000

/** What runs QUIC at each end, with its version. */
export const enginesOf = ({ connection, hello }: Pick<Session, 'connection' | 'hello'>): Engines => ({
  client: named(connection.engine),
  ...(hello.engine && { exit: named(hello.engine) }),
})

/** A session could not be set up; `step` is where it failed, and the code is that of the cause. */
export class LaunchError extends CodedError {
  override name = 'LaunchError'
  constructor(
    readonly step: Step,
    cause: unknown,
  ) {
    const { code, message, hint } = errorData(cause)
    super(code, message, { hint, cause })
  }
}

/**
 * Sets one session up: STUN, offer, answer, punch, QUIC, hello, on one socket. Throws a LaunchError, or the signal's
 * reason; nothing is left open then, and the offer is deleted. When a session that came up is over, the caller deletes
 * its offer and answer.
 */
export async function launch(options: LaunchOptions): Promise<Session> {
  const { id, bucket, trigger = byEvent, answerMs = defaultAnswerMs, signal, onStep = () => {} } = options
  let step: Step = 'stun'
  let offered = false
  let since = performance.now()
  const done = (next: Step, detail: string, start?: FunctionStart) => {
    const now = performance.now()
    onStep(step, now - since, detail, start)
    since = now
    step = next
  }
  /** What the router may have opened for the session's first socket. */
  let mappedPort: number | undefined
  const release = async () => {
    if (mappedPort !== undefined) await options.portMapper?.release(mappedPort)
  }
  let candidate: CandidateKind = 'server-reflexive'
  let candidates: readonly Candidate[] = []
  let byOpenPort = false
  let locateAgain: (until: AbortSignal) => Promise<ClientLocation>
  const exchange = async (side: Side, here: ClientLocation): Promise<Answer> => {
    const offer: Offer = { ...side, ...placed(here), ...(options.dns && { dns: options.dns }) }
    offered = true
    await bucket.putOffer(offer)
    done('answer', bucket.name)
    const offeredAt = Date.now()
    const limitMs = answerLimit(answerMs, trigger)
    const { onWaiting, onNotInvoked } = options
    const answer = await awaitAnswer({
      ...{ id, bucket, trigger, limitMs, signal, onNotInvoked },
      onWaiting: () => onWaiting?.(limitMs),
      async renew(until) {
        // Asking the STUN server keeps the mapping alive, and finds the new one where it was lost.
        const now = await locateAgain(until)
        const renewed = { ...offer, ...placed(now), mapping: now.mapping, timestamp: Date.now() }
        await bucket.putOffer(renewed, until)
      },
    })
    // The two clocks may differ: it cannot be less than nothing, or more than the wait.
    const functionStartMs = Math.min(Math.max(answer.started_at - offeredAt, 0), performance.now() - since)
    const { started_by: startedBy } = answer
    done('punch', answerDetail(answer), { functionStartMs, ...(startedBy && { startedBy }) })
    return answer
  }
  try {
    const established = await establish({
      id,
      role: 'server',
      engine: await loadEngine(options.engine),
      tuning: options.tuning,
      allowPrivate: options.allowPrivate,
      signal,
      relayOnly: options.relay?.only,
      async locate(socket) {
        mappedPort = socket.local.port
        const located = await locateByAll(socket, options)
        if (located.relay) options.onRelay?.()
        candidates = located.candidates
        locateAgain = until => locateOnceMore(socket, located, { ...options, signal: until })
        return located
      },
      exchange,
      onLocated: ({ detail, relay }) =>
        done('offer', relay ? `${detail}, relay ${formatEndpoint(relay.local)} (${relay.server})` : detail),
      onMoved({ kind }) {
        candidate = kind
        options.onMoved?.(kind)
      },
      onPunched({ socket, nominated, stats }) {
        // Where another of many sockets was heard first, nobody comes by the open port any more.
        if (socket.local.port !== mappedPort) void release()
        candidate = nominated.kind
        const { seenAs } = nominated
        byOpenPort = candidates.some(
          ({ kind, ...at }) => kind === 'mapped' && seenAs && sameEndpoint(at, seenAs),
        )
        const own = byOpenPort ? ' from the port that the router opened' : ''
        done('quic', `${formatEndpoint(nominated)}, ${nominated.kind}${own}, ${stats.checksSent} checks`)
      },
    })
    const { connection, here } = established!
    void connection.closed.then(release)
    done('hello', 'pinned')
    const { hello, control } = await awaitHello(connection)
    const { client, exit = 'unknown' } = enginesOf({ connection, hello })
    done('hello', `${hello.address}, QUIC by ${client} here, ${exit} there`)
    return {
      id,
      connection,
      hello,
      deadline: performance.now() + hello.remaining_ms,
      control,
      get candidate() {
        return candidate
      },
      byOpenPort,
      // Seen by nobody but a relay, the address is the relay's own.
      clientAddress: here.relay && here.views.length === 0 ? undefined : here.mapped.address,
      bye(message, closeCode = closeCodes.bye) {
        control.send({ type: 'bye' })
        connection.close(closeCode, message)
      },
    }
  } catch (error) {
    void release()
    if (options.relay && error instanceof PunchError) options.relay.isNeeded = true
    if (offered) await bucket.remove(id).catch(() => {})
    if (signal?.aborted) throw signal.reason
    throw new LaunchError(step, error)
  }
}

// --- internal ---

const byEvent: Trigger = { mode: 's3' }

const named = ({ name, version }: { name: string; version: string }) => `${name} ${version}`

const placed = ({ mapped, candidates }: ClientLocation) => ({
  client_ip: mapped.address,
  client_port: mapped.port,
  candidates: candidateEntries(candidates),
})

const answerDetail = ({ function_ip, function_port, guessed, cold, started_by }: Answer): string =>
  [
    `${function_ip}:${function_port}`,
    ...(guessed ? ['a guess of its own'] : []),
    ...(cold ? ['cold start'] : []),
    ...(started_by === 'invoke' ? ['invoked'] : []),
  ].join(', ')
