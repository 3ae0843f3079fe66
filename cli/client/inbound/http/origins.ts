import { closeAfterWrite } from '../../../../tunnel/net/close-after-write.ts'
import type { Target } from '../../../../tunnel/session/frames/address.ts'
import type { Connect, Connected } from '../../outbound/connect.ts'
import type { Requester } from '../../outbound/outbound.ts'
import { PullConn } from './pull-conn.ts'

/** A connection to a server. */
export interface Origin {
  readonly key: string
  readonly pull: PullConn
  readonly connected: Connected
  /** It has answered a request before. */
  reused: boolean
}

/** An idle connection to a server is kept for the client's next request this long. Milliseconds. */
const keptIdleMs = 15_000
const maxKept = 4

/** The connections to servers of one client, made by whichever outbound. Nothing of them is shared with other clients. */
export class Origins {
  readonly #connect: Connect
  /** Those at rest, the one that has rested longest first, with what drops each. */
  readonly #kept = new Map<Origin, { timer: ReturnType<typeof setTimeout>; drop: () => void }>()
  #user: string | undefined

  constructor(connect: Connect) {
    this.#connect = connect
  }

  /** One that is kept, where `reuse` allows it, or a new one. Rejects as `Connect` does. */
  async take(target: Target, requester: Requester, reuse: boolean): Promise<Origin> {
    if (requester.user !== this.#user) this.destroy()
    this.#user = requester.user
    const key = `${target.host} ${target.port}`
    for (const [origin, { timer }] of reuse ? this.#kept : []) {
      if (origin.key !== key) continue
      clearTimeout(timer)
      this.#kept.delete(origin)
      origin.pull.watch(undefined)
      origin.connected.rest(undefined)
      if (!origin.connected.mayReuse()) {
        close(origin)
        continue
      }
      origin.reused = true
      return origin
    }
    const connected = await this.#connect(target, requester)
    return { key, pull: new PullConn(connected.conn()), connected, reused: false }
  }

  /** Keeps one at rest. What comes on it meanwhile was never asked for, and an end is an end: either drops it. */
  give(origin: Origin): void {
    if (origin.pull.isReadable) return void close(origin)
    const drop = () => {
      clearTimeout(timer)
      if (this.#kept.delete(origin)) close(origin)
    }
    const timer = setTimeout(drop, keptIdleMs)
    this.#kept.set(origin, { timer, drop })
    const [oldest] = this.#kept.values()
    if (this.#kept.size > maxKept) oldest?.drop()
    origin.pull.watch(drop)
    origin.connected.rest(drop)
  }

  destroy(): void {
    for (const { drop } of [...this.#kept.values()]) drop()
  }
}

/** Ends a connection to a server in good order: what it still says is of no use to anybody. */
export function close({ pull }: Origin): void {
  pull.watch(undefined)
  closeAfterWrite(pull.release())
}
