// What a relay tells, for those who only print it.

/** Bytes that went through a relay: up is from the client to the target. */
export interface RelayCounts {
  up: number
  down: number
}

/** How a relay ended: both sides said their end, one of them broke off, the exit's time was up, or the login's quota. */
export type RelayEnd = 'complete' | 'client-closed' | 'target-closed' | 'deadline' | 'quota'
