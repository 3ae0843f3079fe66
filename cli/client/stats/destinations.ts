import { parse } from 'tldts'
import { remembering } from '../../../tunnel/net/bounded-map.ts'
import type { DestinationState } from './state.ts'

/** Beyond this many, all but the ones that carried most are added up under one name. */
const maxDomains = 2_000
const domainsKept = 1_500
const others = '(others)'

/** What went where, by registered domain (the public suffix list's) or address. */
export interface Destinations {
  /** A connection to a target (`host:port`) was opened (+1) or ended (-1). */
  connect(target: string, change: 1 | -1): void
  /** A connection to it carried this much more. */
  carry(target: string, up: number, down: number): void
  /** The ones that carried most. */
  top(n: number): DestinationState[]
  readonly size: number
}

export function createDestinations(): Destinations {
  const all = new Map<string, DestinationState>()
  /** They are added up at this many: when all have connections open nothing is saved, and the next time is put off. */
  let mergeAt = maxDomains

  const of = (target: string): DestinationState => {
    const domain = domainOf(target)
    const known = all.get(domain)
    if (known) return known
    if (all.size >= mergeAt) merge()
    const added = { domain, connections: 0, active: 0, bytesUp: 0, bytesDown: 0 }
    all.set(domain, added)
    return added
  }
  const sorted = () => [...all.values()].sort((a, b) => b.bytesUp + b.bytesDown - (a.bytesUp + a.bytesDown))
  const merge = () => {
    const sum = all.get(others) ?? { domain: others, connections: 0, active: 0, bytesUp: 0, bytesDown: 0 }
    all.set(others, sum)
    for (const destination of sorted().slice(domainsKept)) {
      if (destination.active > 0 || destination === sum) continue
      sum.connections += destination.connections
      sum.bytesUp += destination.bytesUp
      sum.bytesDown += destination.bytesDown
      all.delete(destination.domain)
    }
    mergeAt = Math.max(maxDomains, all.size + maxDomains - domainsKept)
  }

  return {
    connect(target, change) {
      const destination = of(target)
      destination.active += change
      if (change > 0) destination.connections++
    },
    carry(target, up, down) {
      const destination = of(target)
      destination.bytesUp += up
      destination.bytesDown += down
    },
    top: n => sorted().slice(0, n),
    get size() {
      return all.size
    },
  }
}

/** The registered domain of a target; an address, or a name that has none, stands for itself. */
const domainOf = remembering(1_000, target => {
  const host = target.slice(0, target.lastIndexOf(':'))
  const { domain, hostname } = parse(host, { allowPrivateDomains: true })
  return domain ?? hostname ?? host
})
