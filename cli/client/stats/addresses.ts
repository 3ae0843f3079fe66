import { BoundedMap } from '../../../tunnel/net/bounded-map.ts'
import type { ProxyEvent } from './events.ts'
import type { AddressesState, AddressState } from './state.ts'

/** The public addresses of this run's exits: how many, and when and where each was seen. */
export interface AddressTable {
  apply(event: ProxyEvent, now: number): void
  readonly state: AddressesState
  readonly distinct: number
}

/** The page shows this many, those that were seen last. */
const maxLatest = 50

export function createAddresses(): AddressTable {
  const latest = new BoundedMap<string, AddressState>(maxLatest)
  let distinct = 0
  return {
    apply(event, now) {
      if (event.type !== 'address.seen') return
      const { address, region, exits } = event
      distinct = event.distinct
      const firstSeenAt = latest.get(address)?.firstSeenAt ?? now
      latest.set(address, { address, region, exits, firstSeenAt, lastSeenAt: now })
    },
    get state() {
      return { distinct, latest: [...latest.values()].reverse() }
    },
    get distinct() {
      return distinct
    },
  }
}
