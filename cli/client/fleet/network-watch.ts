import { networkInterfaces } from 'node:os'

// A laptop was closed, a process was stopped, or the network was changed: all paths may be gone at
// once. The signs of it are cheap to check.

/** What happened: this machine has other addresses now, or this process did not run for so long. */
export type Upset = { change: 'addresses' } | { change: 'pause'; ms: number }

export interface NetworkWatch {
  /** Looks twice a second from now on, or no longer. */
  watch(wanted: boolean): void
}

/** What is looked at; a test has its own. */
export interface Surroundings {
  /** Milliseconds on the clock of timers, which may stand still while the machine sleeps. */
  monotonic(): number
  /** Milliseconds since 1970, which goes on. */
  wall(): number
  /** What tells one set of addresses from another. */
  addresses(): string
}

const everyMs = 500
/** A timer that is this late was not just on a busy machine. Milliseconds. */
const pausedMs = 5_000

export function watchNetwork(
  onUpset: (upset: Upset) => void,
  { monotonic, wall, addresses }: Surroundings = surroundings,
): NetworkWatch {
  let timer: ReturnType<typeof setInterval> | undefined
  let last = { monotonic: 0, wall: 0, addresses: '' }
  const read = () => ({ monotonic: monotonic(), wall: wall(), addresses: addresses() })
  const look = () => {
    const before = last
    last = read()
    const lateMs = Math.max(last.monotonic - before.monotonic, last.wall - before.wall) - everyMs
    if (last.addresses !== before.addresses) onUpset({ change: 'addresses' })
    else if (lateMs >= pausedMs) onUpset({ change: 'pause', ms: lateMs })
  }
  return {
    watch(wanted) {
      if (wanted === (timer !== undefined)) return
      if (!wanted) {
        clearInterval(timer)
        timer = undefined
        return
      }
      last = read()
      timer = setInterval(look, everyMs)
    },
  }
}

// --- internal ---

const surroundings: Surroundings = {
  monotonic: () => performance.now(),
  wall: () => Date.now(),
  addresses: () =>
    Object.values(networkInterfaces())
      .flatMap(list => list ?? [])
      .filter(({ internal, address }) => !internal && !isLinkLocal(address))
      .map(({ address }) => address)
      .sort()
      .join(' '),
}

/** No path to an exit begins there (RFC 3927, section 2.1; RFC 4291, section 2.5.6), and containers bring many. */
const isLinkLocal = (address: string) => /^(fe[89ab]|169\.254\.)/i.test(address)
