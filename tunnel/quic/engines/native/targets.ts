import { CodedError } from '../../../net/coded-error.ts'
import type { Endpoint } from '../../../net/endpoint.ts'
import type { EngineTargets, JointHandlers, Leftover, Parting, ReadBefore } from '../../engine-connection.ts'
import { eventKinds } from './events.ts'
import type { Addon } from './socket.ts'

/** A target that has no descriptor any more, or a session that is over. */
const aborted = 'ECONNABORTED'

/** What the addon's codes are called by the system. */
const failures = [
  'ECONNREFUSED',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'ETIMEDOUT',
  'EADDRNOTAVAIL',
  'EACCES',
  'EAFNOSUPPORT',
  'EMFILE',
  aborted,
  'EINVAL',
]
const partings: readonly Parting[] = ['complete', 'target-broke', 'stream-gone', 'stream-gone-finished']

/** What targets need of the connection. */
interface TargetsHost {
  /** There is something to send, or to do in the next turn. */
  owe(): void
  /** Whether a stream's end was read and nobody has been told: it is now. */
  takeEnd(stream: number): boolean
  /** Nothing more is to be read of a stream. */
  over(stream: number): void
}

/** The addon's targets, and who is to be told of them. */
export class NativeTargets implements EngineTargets {
  readonly #addon: Addon
  readonly #host: TargetsHost
  /** Those that are being dialled. */
  readonly #dials = new Map<number, (error?: Error) => void>()
  /** What is joined, by stream. */
  readonly #joints = new Map<number, JointHandlers>()
  /** And by target, until that is closed. */
  readonly #open = new Map<number, JointHandlers>()
  #over = false

  constructor(addon: Addon, host: TargetsHost) {
    this.#addon = addon
    this.#host = host
  }

  dial(address: string, port: number, told: (error?: Error) => void): number {
    const target = this.#over ? gone : this.#dial(address, port)
    if (target >= 0) this.#dials.set(target, told)
    else queueMicrotask(() => told(failure(-1 - target)))
    return target
  }

  local(target: number): Endpoint {
    return this.#addon.local(target) ?? { address: '0.0.0.0', port: 0 }
  }

  hangUp(target: number): void {
    this.#dials.delete(target)
    if (target >= 0) this.#addon.hangUp(target)
  }

  join(stream: number, target: number, { up, down, ended }: ReadBefore, handlers: JointHandlers): void {
    const hasEnded = this.#host.takeEnd(stream) || ended
    if (!this.#addon.join(stream, target, up, down, hasEnded)) return void tellGone(handlers)
    this.#joints.set(stream, handlers)
    this.#open.set(target, handlers)
    this.#host.owe()
  }

  breakAt(stream: number, at: number): void {
    this.#addon.breakAt(stream, at)
    this.#host.owe()
  }

  part(stream: number): void {
    this.#addon.part(stream)
    this.#host.owe()
  }

  leftover(stream: number): Leftover {
    return this.#addon.leftover(stream) ?? nothingLeft
  }

  /** The peer has ended the stream, and all that it sent is here. False: it is not joined. */
  endFound(stream: number): boolean {
    if (!this.#joints.has(stream)) return false
    this.#addon.endFound(stream)
    this.#host.owe()
    return true
  }

  /** What the addon tells of a target or a joined stream. */
  tell(kind: number, subject: number, code: number): void {
    switch (kind) {
      case eventKinds.dialled:
        return void this.#dialled(subject)
      case eventKinds.undialled:
        return void this.#dialled(subject, failure(code))
      case eventKinds.parted:
        return void this.#parted(subject, partings[code] ?? 'stream-gone')
      case eventKinds.hungUp:
        return void this.#hungUp(subject)
    }
  }

  /** The session is over, and with it all targets. */
  end(): void {
    this.#over = true
    for (const target of [...this.#dials.keys()]) this.#dialled(target, failure(-1 - gone))
    for (const target of [...this.#open.keys()]) this.#hungUp(target)
    this.#joints.clear()
  }

  // --- internal ---

  /** What is no address, or one that only Node's sockets know (of a zone, RFC 4007), is refused like any other. */
  #dial(address: string, port: number): number {
    try {
      return this.#addon.dial(address, port)
    } catch {
      return invalid
    }
  }

  #dialled(target: number, error?: Error): void {
    const told = this.#dials.get(target)
    this.#dials.delete(target)
    told?.(error)
  }

  #parted(stream: number, how: Parting): void {
    const joint = this.#joints.get(stream)
    this.#joints.delete(stream)
    if (how !== 'target-broke') this.#host.over(stream)
    joint?.parted(how)
  }

  #hungUp(target: number): void {
    const joint = this.#open.get(target)
    this.#open.delete(target)
    joint?.hungUp()
  }
}

// --- internal ---

/** Numbers of targets that there never were: the session is over, or there is no such address. */
const gone = -1 - failures.indexOf(aborted)
const invalid = -1 - failures.indexOf('EINVAL')

/** Never from within a call of whoever joins them. */
function tellGone({ parted, hungUp }: JointHandlers): void {
  queueMicrotask(() => {
    parted('stream-gone')
    hungUp()
  })
}

const nothingLeft: Leftover = { read: 0, written: 0, ended: false, finished: false }

function failure(code: number): Error {
  const name = failures[code] ?? aborted
  return new CodedError(name, `the connection to the target failed: ${name}`)
}
