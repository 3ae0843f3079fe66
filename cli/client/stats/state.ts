import type { CandidateKind } from '../../../tunnel/nat/ice/candidate.ts'
import type { ErrorData } from '../../../tunnel/net/coded-error.ts'
import type { RelayEnd } from '../../../tunnel/session/relay-report.ts'
import type { Starter } from '../../../tunnel/signalling/offer-record.ts'
import type { BudgetUse, Engines, ListenerAddress, OutboundName, Step } from './events.ts'

// What /api/state and the live stream give, described for users in docs/events.md. Times are milliseconds
// since 1970, durations milliseconds, amounts of data bytes; down is towards the application, up away from it.

/** The header that a request to change something has its token in; a page of another site cannot set it. */
export const tokenHeader = 'x-dashboard-token'

export interface State {
  now: number
  version: string
  startedAt: number
  /** The exits run on this machine, and cost nothing. */
  local: boolean
  /** Where applications connect to, the first listener and all of them; none before the first exit is up. */
  proxy?: { host: string; port: number; listeners: ListenerAddress[] }
  totals: Totals
  /** Bytes a second, over the last four samples. */
  rate: { down: number; up: number }
  exits: ExitStatus[]
  sleep: SleepState
  addresses: AddressesState
  /** The site that was banned last, first; 50 at most. */
  bans: BanState[]
  /** The newest first. */
  launches: LaunchStatus[]
  /** Those that carried most, first. */
  destinations: DestinationState[]
  /** How many destinations there are in all. */
  destinationCount: number
  /** Those that have logged in and asked for something, the first 200 by name and the others as one. */
  users: UserState[]
  /** Why clients were rejected, the code that came last first. */
  rejections: RejectionState[]
  /** Active ones and those that ended last; in a live update those that changed. */
  connections: ConnectionState[]
  /** From the finest steps to the coarsest; in a live update the points that are new. */
  series: SeriesState[]
  cost: CostState
}

export interface Totals {
  bytesUp: number
  bytesDown: number
  opened: number
  active: number
  refused: number
  failed: number
  /** Clients rejected before they asked for a target. */
  rejected: number
  launches: number
  launchesFailed: number
}

/** Clients rejected for one reason; message and hint are those of the last. */
export interface RejectionState extends ErrorData {
  count: number
  rejectedAt: number
}

/** An exit, as a person sees it. */
export interface ExitStatus {
  /** The id of its tunnel. */
  session: string
  region: string
  phase: 'launching' | 'active' | 'draining' | 'ended'
  /** It answers no probes at the moment. */
  silent: boolean
  /** The exit's public address. */
  address?: string
  memoryMb?: number
  architecture?: string
  engines?: Engines
  /** Of the exit's address that packets go to, or `relayed`. */
  candidate?: CandidateKind
  /** They come in by the port that the client's router opened. */
  byOpenPort?: boolean
  launchedAt: number
  /** When its offer was written, which starts the function. */
  billedFrom?: number
  readyAt?: number
  /** When its replacement is due. */
  replaceAt?: number
  /** When the function's time is up. */
  deadlineAt?: number
  endedAt?: number
  /** Why it ended. */
  reason?: string
  rttMs?: number
  packetsSent: number
  packetsLost: number
  connections: number
  bytesUp: number
  bytesDown: number
}

/** Whether exits run: they are let go while nobody uses the proxy. */
export interface SleepState {
  /** `waking`: a connection waits for the first exit. */
  phase: 'awake' | 'asleep' | 'waking'
  since: number
  /** How often a connection woke the exits. */
  wakes: number
  /** How long the last of them waited. */
  lastWakeMs?: number
}

/** The public addresses that exits of this run have had. */
export interface AddressesState {
  distinct: number
  /** Those that were seen last, the last first. */
  latest: AddressState[]
}

export interface AddressState {
  address: string
  region: string
  /** How many exits have had it. */
  exits: number
  firstSeenAt: number
  lastSeenAt: number
}

/** A site (a registered domain, or an address) that does not use exits with these addresses for now. */
export interface BanState {
  site: string
  addresses: string[]
  /** When the last of these bans ends. */
  endsAt: number
}

/** How packets go between an exit and here: without help, by a port that a router opened, or by a relay. */
export type PathKind = 'direct' | 'mapped' | 'relayed'

/** Undefined before it is up. */
export function pathKind({ candidate, byOpenPort }: ExitStatus): PathKind | undefined {
  if (candidate === undefined || candidate === 'relayed') return candidate
  return byOpenPort || candidate === 'mapped' ? 'mapped' : 'direct'
}

/** It takes new connections. */
export const isAccepting = ({ phase, silent }: ExitStatus): boolean => phase === 'active' && !silent

export interface LaunchStatus {
  session: string
  region: string
  /** Of the exit, once it is up. */
  address?: string
  launchedAt: number
  steps: { step: Step; ms: number; detail: string; functionStartMs?: number; startedBy?: Starter }[]
  totalMs?: number
  /** It failed: at which step, and why. */
  failure?: ErrorData & { step: Step; retryMs: number }
}

export interface DestinationState {
  /** The registered domain, or the address. */
  domain: string
  connections: number
  active: number
  bytesUp: number
  bytesDown: number
}

/** What a login has asked for in this run. */
export interface UserState {
  user: string
  /** Connections that were made, and those of them that are open. */
  connections: number
  active: number
  /** Those that were refused, or failed. */
  notMade: number
  bytesUp: number
  bytesDown: number
  /** Bytes of all runs in this day or month of UTC, those that it may use, and when it begins anew. */
  used?: number
  quota?: number
  period?: 'day' | 'month'
  resetsAt?: number
}

export interface ConnectionState {
  id: number
  /** None where it goes through no exit. */
  session?: string
  /** None where it was not made. */
  outbound?: OutboundName
  target: string
  /** Whose login asked for it; none where no login is needed. */
  user?: string
  openedAt: number
  setUpMs?: number
  bytesUp: number
  bytesDown: number
  changedAt: number
  endedAt?: number
  end?: RelayEnd | 'refused' | 'failed'
  /** Why it was refused, or failed. */
  error?: ErrorData
  /** The reply that SOCKS has for why it was refused (RFC 1928, section 6). */
  reply?: number
  /** In which the client was told that it was not made. */
  protocol?: 'socks5' | 'http'
}

export interface SeriesState {
  stepMs: number
  points: Point[]
}

export interface Point {
  at: number
  /** Bytes a second. */
  down: number
  up: number
  connections: number
  /** Session → round-trip time, and the share of the packets sent that were lost. */
  paths: Record<string, { rttMs: number; loss: number }>
}

export interface CostState {
  /** Dollars so far, and what they went to. */
  total: number
  items: { compute: number; requests: number; storage: number; dataOut: number }
  /** Dollars an hour, as the last minute went; none in the first seconds. */
  perHour?: number
  gbSeconds: number
  launches: number
  bytesOut: number
  /** A budget, what all runs on this machine have spent of it, and whether that is 80 % (`low`) or all (`spent`). */
  budget?: BudgetUse & { state: 'open' | 'low' | 'spent' }
  /** The month of the prices, and the region they are of where a region is not known. */
  pricesOf: string
  assumedRegion?: string
}
