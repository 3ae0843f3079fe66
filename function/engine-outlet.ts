import { CancelSignal } from '../tunnel/net/cancellation.ts'
import type { EngineTargets } from '../tunnel/quic/engine-connection.ts'
import type { QuicStream } from '../tunnel/quic/stream.ts'
import type { Target } from '../tunnel/session/frames/address.ts'
import type { Attempt, Connect, Outlet } from './outlet.ts'

/** Connects by the engine that runs the session: it carries the session's streams to its targets by itself. */
export const connectByEngine =
  (targets: EngineTargets): Connect =>
  (address, port) =>
    new EngineAttempt(targets, address, port)

// --- internal ---

class EngineAttempt implements Attempt {
  readonly outlet: Promise<Outlet>
  readonly #targets: EngineTargets
  readonly #target: number

  constructor(targets: EngineTargets, address: string, port: number) {
    const { promise, resolve, reject } = Promise.withResolvers<Outlet>()
    this.outlet = promise
    this.#targets = targets
    this.#target = targets.dial(address, port, error => {
      if (error) reject(error)
      else resolve(new EngineOutlet(targets, this.#target))
    })
  }

  cancel(): void {
    this.#targets.hangUp(this.#target)
  }
}

class EngineOutlet implements Outlet {
  readonly gone = new CancelSignal()
  readonly bound: Target
  readonly #targets: EngineTargets
  readonly #target: number

  constructor(targets: EngineTargets, target: number) {
    const { address, port } = targets.local(target)
    this.bound = { host: address, port }
    this.#targets = targets
    this.#target = target
  }

  abort(): void {
    this.#targets.hangUp(this.#target)
    this.#closed()
  }

  join(stream: QuicStream): void {
    stream.joinTarget(this.#targets, this.#target, () => this.#closed())
  }

  #closed(): void {
    this.gone.abort(undefined)
  }
}
