import { BoundedMap } from '../../../tunnel/net/bounded-map.ts'
import type { Access, Admission } from '../accounts/access.ts'

/** Wrong passwords of one source: so many at once, then one each so many milliseconds. */
interface Rate {
  burst: number
  everyMs: number
}

const ofStrangers: Rate = { burst: 10, everyMs: 1_000 }
/** Where a right login came from lately, one program with an old password must not keep the others waiting. */
const ofKnown: Rate = { burst: 50, everyMs: 100 }
/** Milliseconds. */
const knownForMs = 600_000
/** A client that would have to wait for longer is rejected. Milliseconds. */
const maxWaitMs = 10_000
const maxSources = 4_096

interface SourceState {
  /** When all wrong passwords are paid for (the theoretical arrival time of the generic cell rate algorithm). */
  clearAt: number
  knownUntil: number
}

/** Slows down whoever tries passwords, source by source. A right one waits as well, so that the wait tells nothing. */
export class Guesses {
  readonly #sources = new BoundedMap<string, SourceState>(maxSources)
  /** The last of those of a source that have a password checked. */
  readonly #turns = new Map<string, Promise<unknown>>()
  readonly #now: () => number

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** A connection of this source is about to log in; undefined when it would have to wait for too long. */
  attempt(source: string): Attempt | undefined {
    const waitMs = this.waitMs(source)
    if (waitMs > maxWaitMs) return undefined
    // Who waits has a turn of its own, which is paid for at once: those behind it wait for longer.
    if (waitMs > 0) this.charge(source, 1)
    return new Attempt(this, source, waitMs)
  }

  /** Checks the passwords of a source one after another: none gets past the limit while another is being checked. */
  async inTurn<T>(source: string, check: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(source) ?? Promise.resolve()).then(check, check)
    this.#turns.set(source, turn)
    try {
      return await turn
    } finally {
      if (this.#turns.get(source) === turn) this.#turns.delete(source)
    }
  }

  waitMs(source: string): number {
    const state = this.#sources.get(source)
    if (!state) return 0
    const { burst, everyMs } = this.#rateOf(state)
    return Math.max(0, state.clearAt - this.#now() - (burst - 1) * everyMs)
  }

  charge(source: string, guesses: 1 | -1): void {
    const now = this.#now()
    const state = this.#sources.get(source) ?? { clearAt: now, knownUntil: 0 }
    state.clearAt = Math.max(state.clearAt, now) + guesses * this.#rateOf(state).everyMs
    this.#sources.set(source, state)
  }

  know(source: string): void {
    const now = this.#now()
    const state = this.#sources.get(source) ?? { clearAt: now, knownUntil: 0 }
    // As many wrong ones are owed as before, each at the other rate.
    if (state.knownUntil <= now)
      state.clearAt = now + (Math.max(0, state.clearAt - now) * ofKnown.everyMs) / ofStrangers.everyMs
    state.knownUntil = now + knownForMs
    this.#sources.set(source, state)
  }

  #rateOf({ knownUntil }: SourceState): Rate {
    return knownUntil > this.#now() ? ofKnown : ofStrangers
  }
}

/** One connection's way to its login. */
export class Attempt {
  /** How long it must wait before anything that it says is read. Milliseconds. */
  readonly waitMs: number
  readonly #guesses: Guesses
  readonly #source: string
  #paid: boolean
  #state: 'open' | 'right' | 'wrong' = 'open'

  constructor(guesses: Guesses, source: string, waitMs: number) {
    this.#guesses = guesses
    this.#source = source
    this.waitMs = waitMs
    this.#paid = waitMs > 0
  }

  /** The same access for this connection alone: after one wrong password none is right. */
  guard(access: Access): Access {
    if (!access.required) return access
    return { required: true, admit: (user, password) => this.#admit(access, user, password) }
  }

  /** The connection has logged in, or is gone. */
  end(): void {
    if (this.#paid && this.#state !== 'wrong') this.#guesses.charge(this.#source, -1)
    this.#paid = false
  }

  async #admit(access: Access, user: string, password: string): Promise<Admission | undefined> {
    // Who names nobody asks to be asked.
    if (user === '' && password === '') return undefined
    return this.#guesses.inTurn(this.#source, () => this.#check(access, user, password))
  }

  async #check(access: Access, user: string, password: string): Promise<Admission | undefined> {
    if (this.#state === 'wrong') return undefined
    // Others of the source have guessed while this one took its time.
    const isLate = this.#state === 'open' && !this.#paid && this.#guesses.waitMs(this.#source) > 0
    const admission = isLate ? undefined : await access.admit(user, password)
    if (admission) {
      if (this.#state === 'open') this.#guesses.know(this.#source)
      this.end()
      this.#state = 'right'
      return admission
    }
    this.#state = 'wrong'
    if (!this.#paid) this.#guesses.charge(this.#source, 1)
    return undefined
  }
}
