import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { BoundedMap } from '../../../tunnel/net/bounded-map.ts'
import type { Secret } from './login.ts'
import { isHashOf } from './password-hash.ts'

export interface VerifierOptions {
  /** Hashes that are computed at once: a quarter of the machine where nothing is said. */
  concurrency?: number
  isHashOf?: (hash: string, password: string) => Promise<boolean>
}

/** Answers that are remembered. */
const maxKnown = 4_096
const maxWrong = 1_024

/**
 * Checks passwords. A hash takes a processor's time by design, so each is computed once: what was right or wrong is
 * remembered under a keyed digest, who asks the same meanwhile waits for the same answer, and few are computed at once.
 */
export class Verifier {
  // Of digests under a key of our own, a comparison tells nothing, not even lengths.
  readonly #key = randomBytes(32)
  readonly #right = new BoundedMap<string, true>(maxKnown)
  readonly #wrong = new BoundedMap<string, true>(maxWrong)
  readonly #asked = new Map<string, Promise<boolean>>()
  readonly #waiting: (() => void)[] = []
  readonly #isHashOf: (hash: string, password: string) => Promise<boolean>
  #free: number

  constructor(options: VerifierOptions = {}) {
    this.#free = options.concurrency ?? Math.max(1, Math.floor(availableParallelism() / 4))
    this.#isHashOf = options.isHashOf ?? isHashOf
  }

  digest(...texts: string[]): Buffer {
    const hmac = createHmac('sha256', this.#key)
    for (const text of texts) hmac.update(`${Buffer.byteLength(text)} ${text}`)
    return hmac.digest()
  }

  /** Whether the password is that of the secret. */
  async verify(secret: Secret, password: string): Promise<boolean> {
    if (secret.kind === 'plain') return timingSafeEqual(this.digest(secret.password), this.digest(password))
    const asked = this.digest(secret.hash, password).toString('base64')
    if (this.#right.touch(asked)) return true
    if (this.#wrong.has(asked)) return false
    const answer = this.#asked.get(asked) ?? this.#compute(asked, secret.hash, password)
    this.#asked.set(asked, answer)
    return answer
  }

  async #compute(asked: string, hash: string, password: string): Promise<boolean> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>(resolve => this.#waiting.push(resolve))
    try {
      // A hash that cannot be read is nobody's.
      const isRight = await this.#isHashOf(hash, password).catch(() => false)
      if (isRight) this.#right.set(asked, true)
      else this.#wrong.set(asked, true)
      return isRight
    } finally {
      this.#asked.delete(asked)
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free++
    }
  }
}
