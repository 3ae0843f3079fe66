import type { Usage } from './events.ts'
import type { UserState } from './state.ts'

/** Beyond these, users are added up under one name: what is counted by name is bounded, and never shrinks. */
const maxNamed = 200
const others = '(others)'

/** What each login has asked for. Without a login nothing is counted here. */
export interface Users {
  /** A connection was opened (+1) or ended (-1). */
  connect(user: string | undefined, change: 1 | -1): void
  /** One was not made. */
  miss(user: string | undefined): void
  carry(user: string | undefined, up: number, down: number): void
  use(usage: readonly Usage[]): void
  list(): UserState[]
}

export function createUsers(): Users {
  const all = new Map<string, UserState>()
  const of = (user: string): UserState => {
    const name = all.has(user) || all.size < maxNamed ? user : others
    const known = all.get(name)
    if (known) return known
    const added = { user: name, connections: 0, active: 0, notMade: 0, bytesUp: 0, bytesDown: 0 }
    all.set(name, added)
    return added
  }
  return {
    connect(user, change) {
      if (user === undefined) return
      const state = of(user)
      state.active += change
      if (change > 0) state.connections++
    },
    miss(user) {
      if (user !== undefined) of(user).notMade++
    },
    carry(user, up, down) {
      if (user === undefined) return
      const state = of(user)
      state.bytesUp += up
      state.bytesDown += down
    },
    use(usage) {
      for (const { user, ...used } of usage) {
        const state = of(user)
        // Of several together there is no sum: each has its own period.
        if (state.user === user) Object.assign(state, used)
      }
    },
    list: () => [...all.values()],
  }
}
