/** Random numbers that are the same in every run, so that what fails once fails again. */
export interface Random {
  /** 0 to `below` - 1. */
  int(below: number): number
  bytes(length: number): Buffer
  chance(probability: number): boolean
  /** 0 to 1, as Math.random() gives them. */
  next(): number
}

/** Mulberry32: small, and random enough to try inputs with. */
export function seeded(seed: number): Random {
  let state = seed
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const int = (below: number) => Math.floor(next() * below)
  return {
    int,
    bytes: length => Buffer.from(Array.from({ length }, () => int(256))),
    next,
    chance: probability => next() < probability,
  }
}
