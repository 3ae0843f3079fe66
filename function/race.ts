import type { LookupAddress } from 'node:dns'
import type { Attempt, Connect, Outlet } from './outlet.ts'

/** Before the next address is tried beside those that have not answered (RFC 8305, section 5). Milliseconds. */
const headStartMs = 250

/**
 * Connects to one of a host's addresses, in a race (Happy Eyeballs, RFC 8305): they are tried one after the other, the
 * next as soon as one fails or has had its head start. The first that is connected wins, and the others are given up.
 * Rejects with the error of the first address when all have failed.
 */
export function race(addresses: readonly LookupAddress[], port: number, connect: Connect): Attempt {
  const [first, ...others] = interleave(addresses)
  if (!first) throw new TypeError('a race needs an address')
  if (others.length === 0) return connect(first.address, port)
  return new Race([first, ...others], port, connect)
}

// --- internal ---

class Race implements Attempt {
  readonly outlet: Promise<Outlet>
  readonly #result = Promise.withResolvers<Outlet>()
  readonly #addresses: LookupAddress[]
  readonly #port: number
  readonly #connect: Connect
  readonly #running = new Set<Attempt>()
  /** Of each address, in their order. */
  readonly #errors: unknown[] = []
  #started = 0
  #over = false
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(addresses: LookupAddress[], port: number, connect: Connect) {
    this.#addresses = addresses
    this.#port = port
    this.#connect = connect
    this.outlet = this.#result.promise
    this.#next()
  }

  cancel(): void {
    this.#end()
    for (const attempt of this.#running) attempt.cancel()
  }

  #next(): void {
    clearTimeout(this.#timer)
    const index = this.#started++
    const address = this.#addresses[index]
    if (!address) return
    const attempt = this.#connect(address.address, this.#port)
    this.#running.add(attempt)
    attempt.outlet.then(
      outlet => this.#won(attempt, outlet),
      error => this.#lost(attempt, index, error),
    )
    if (index + 1 < this.#addresses.length) this.#timer = setTimeout(() => this.#next(), headStartMs)
  }

  #won(attempt: Attempt, outlet: Outlet): void {
    // Two may have answered at once.
    if (this.#over) return void attempt.cancel()
    this.#end()
    for (const other of this.#running) if (other !== attempt) other.cancel()
    this.#result.resolve(outlet)
  }

  #lost(attempt: Attempt, index: number, error: unknown): void {
    this.#running.delete(attempt)
    this.#errors[index] = error
    if (this.#over) return
    if (this.#started < this.#addresses.length) return void this.#next()
    if (this.#running.size > 0) return
    this.#end()
    this.#result.reject(this.#errors[0])
  }

  #end(): void {
    this.#over = true
    clearTimeout(this.#timer)
  }
}

/** By turns one of each family, from that of the first on (RFC 8305, section 4). */
function interleave(addresses: readonly LookupAddress[]): LookupAddress[] {
  const own = addresses.filter(({ family }) => family === addresses[0]?.family)
  const other = addresses.filter(({ family }) => family !== addresses[0]?.family)
  return Array.from({ length: Math.max(own.length, other.length) }, (_, i) => [own[i], other[i]])
    .flat()
    .filter(address => address !== undefined)
}
