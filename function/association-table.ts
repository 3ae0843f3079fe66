import { giveUpIdlest, type Idler } from '../tunnel/net/idlest.ts'

export interface AssociationLimits {
  /** Associations at once. */
  max: number
  /** Their sockets; the process has its other connections to make as well. */
  sockets: number
  /** What nothing went over for so long may be given up for others. Milliseconds. */
  idleMs: number
}

const defaults: AssociationLimits = { max: 2_048, sockets: 2_048, idleMs: 10_000 }

/** Where a descriptor is wanted at once. Milliseconds. */
const urgentIdleMs = 1_000
const urgentCount = 16

/**
 * The UDP associations of an exit. When there are too many, the one gives way over which nothing went for longest: its
 * client opens another with its next packet. Sockets give way sooner, since a Lambda function has 1,024 descriptors: an
 * association at rest costs memory alone, and gets another socket with its next packet.
 */
export class AssociationTable {
  readonly sockets = new Set<Idler>()
  readonly #limits: AssociationLimits
  readonly #open = new Set<Idler>()

  constructor(limits: Partial<AssociationLimits> = {}) {
    this.#limits = { ...defaults, ...limits }
  }

  /** Whether there is room for one more, if need be in the place of one that is idle. */
  makeRoom(): boolean {
    return this.#open.size < this.#limits.max || giveUpIdlest(this.#open, this.#limits.idleMs)
  }

  enter(association: Idler): void {
    this.#open.add(association)
  }

  leave(association: Idler): void {
    this.#open.delete(association)
  }

  /** Counts a socket; where there are many, an idle one is given up for it. */
  addSocket(socket: Idler): void {
    if (this.sockets.size >= this.#limits.sockets) giveUpIdlest(this.sockets, this.#limits.idleMs)
    this.sockets.add(socket)
  }

  /** The system has no descriptor left: some of the idlest sockets are given up, so that the next ones find room. */
  freeSockets(): void {
    const idleMs = Math.min(this.#limits.idleMs, urgentIdleMs)
    for (let left = urgentCount; left > 0 && giveUpIdlest(this.sockets, idleMs); ) left--
  }
}

/** So many sockets for associations where the process may have so many descriptors: half of them. */
export const socketLimit = (descriptors = defaults.sockets * 2): number =>
  Math.min(defaults.sockets, Math.floor(descriptors / 2))
