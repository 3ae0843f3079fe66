import { randomBytes } from 'node:crypto'
import { BoundedMap } from '../../net/bounded-map.ts'
import { checkRequest, type StunMessage } from '../stun/message.ts'
import { birthdayChecks } from './birthday.ts'
import { priorityOf } from './candidate.ts'
import type { IceCredentials } from './credentials.ts'
import { type Route, sameRoute } from './route.ts'

export interface TransactionOptions {
  local: IceCredentials
  remote: IceCredentials
  controlling: boolean
}

/** A check that waits for its response. */
export interface Outstanding {
  route: Route
  nominating: boolean
  /** Milliseconds. */
  sentAt: number
}

/** Transactions remembered: what comes later than this many checks counts as lost. */
const maxOutstanding = 512 + birthdayChecks

/** The STUN transactions of a session's checks (RFC 8445, section 7.2): each begins with a request, and ends with its response. */
export class Transactions {
  readonly #options: TransactionOptions
  readonly #tieBreaker = randomBytes(8)
  readonly #outstanding = new BoundedMap<string, Outstanding>(maxOutstanding)

  constructor(options: TransactionOptions) {
    this.#options = options
  }

  /** Gives the request to send. */
  begin(check: Outstanding): Uint8Array {
    const { local, remote, controlling } = this.#options
    const { datagram, transactionId } = checkRequest({
      username: `${remote.ufrag}:${local.ufrag}`,
      password: remote.password,
      priority: priorityOf('peer-reflexive'),
      controlling,
      tieBreaker: this.#tieBreaker,
      nominate: check.nominating,
    })
    this.#outstanding.set(transactionId, check)
    return datagram
  }

  /** The check that a response answers; undefined when it answers none, and `forged` when it is not authentic. */
  end(response: StunMessage, from: Route): Outstanding | 'forged' | undefined {
    const check = this.#outstanding.get(response.transactionId)
    // A response from another address than was asked is not symmetric and counts as failed (RFC 8445, 7.2.5.2.1).
    if (!check || response.kind !== 'success' || !sameRoute(check.route, from)) return undefined
    if (!response.authentic(this.#options.remote.password)) return 'forged'
    this.#outstanding.delete(response.transactionId)
    return check
  }
}
