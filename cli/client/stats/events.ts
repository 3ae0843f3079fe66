import type { CandidateKind } from '../../../tunnel/nat/ice/candidate.ts'
import type { ErrorData } from '../../../tunnel/net/coded-error.ts'
import type { RelayCounts, RelayEnd } from '../../../tunnel/session/relay-report.ts'
import type { Starter } from '../../../tunnel/signalling/offer-record.ts'
import type { Scheme } from '../../input/scheme.ts'

/** Where a connection may leave: what a rule may name. */
export const outboundNames = ['tunnel', 'direct', 'block'] as const
export type OutboundName = (typeof outboundNames)[number]

/** The steps of a launch, in their order. */
export const steps = ['stun', 'offer', 'answer', 'punch', 'quic', 'hello'] as const
export type Step = (typeof steps)[number]

/** What runs QUIC at each end; an exit of an earlier release does not say. */
export interface Engines {
  client: string
  exit?: string
}

/** The path to an exit: its round-trip time, and the packets that this end sent on it and lost so far. */
export interface Path {
  session: string
  rttMs: number
  sent: number
  lost: number
}

/** Where applications connect, and what they may speak there. */
export interface ListenerAddress {
  scheme: Scheme
  host: string
  port: number
}

/** A budget in US dollars, and what was spent of it, until `resetsAt` (milliseconds since 1970). */
export interface BudgetUse {
  budget: number
  spent: number
  period: 'day' | 'month'
  action: 'stop' | 'warn'
  resetsAt: number
}

/** What a login has used, and may use, in bytes, until `resetsAt` (milliseconds since 1970). */
export interface Usage {
  user: string
  used: number
  quota?: number
  period: 'day' | 'month'
  resetsAt: number
}

/** A connection that was not made, and why. */
export interface NotConnected extends ErrorData {
  connection: number
  /** None where no rule could be asked: the target is not valid. */
  outbound: OutboundName | undefined
  target: string
  /** Whose login asked for it; none where no login is needed. */
  user?: string | undefined
  /** In which the client was told; none where it was told nothing. */
  protocol?: 'socks5' | 'http'
}

/** A setting whose value is another now. */
export interface Change {
  key: string
  from: unknown
  to: unknown
}

/** Everything that happens in the process, told once: the terminal, --json and whatever else shows it listen here. */
export type ProxyEvent =
  | { type: 'exit.launching'; session: string; region: string }
  /**
   * A step is done; `ms` is what it took, `detail` what came of it. Of the wait for the answer,
   * `functionStartMs` went by before the function's code ran, as far as the two clocks agree; `startedBy` is what
   * started it, where the function tells.
   */
  | {
      type: 'exit.step'
      session: string
      step: Step
      ms: number
      detail: string
      functionStartMs?: number
      startedBy?: Starter
    }
  /** The function has not answered yet; it is waited for until `limitMs` after the offer. */
  | { type: 'exit.waiting'; session: string; region: string; limitMs: number }
  /** The function could not be invoked; its bucket's event is waited for. Told once a region and code. */
  | ({ type: 'invoke.failed'; session: string; region: string } & ErrorData)
  | {
      type: 'exit.ready'
      session: string
      region: string
      address: string
      remainingMs: number
      /** Until its replacement is due, by `--rotate` or before the function must end. */
      replaceMs: number
      setUpMs: number
      /** The function's size, which its price goes by. */
      memoryMb: number
      /** Of its processor, which its price goes by, too. */
      architecture?: string
      engines: Engines
      /** Of the exit's address that packets go to, or `relayed` where a TURN server lies between. */
      candidate?: CandidateKind
      /** True where it comes in by the port that this end's router opened. */
      byOpenPort?: boolean
    }
  /** Its replacement is due at another time than was told: `--rotate` has changed. */
  | { type: 'exit.rescheduled'; session: string; replaceMs: number }
  /** Its packets go another way: from a relay to a direct path. */
  | { type: 'exit.moved'; session: string; candidate: CandidateKind }
  /** No TURN server lent an address; the session goes on without. Told once a code, until one does. */
  | ({ type: 'relay.failed'; session: string; region: string } & ErrorData)
  /**
   * An exit came up at this address. `isNew`: no other exit of this run has had it; else `exits` have, this one included.
   * `distinct`: how many addresses this run has seen. `replaced`: another exit is launched in its place, as `--distinct`
   * asks.
   */
  | {
      type: 'address.seen'
      session: string
      region: string
      address: string
      isNew: boolean
      exits: number
      distinct: number
      replaced: boolean
    }
  /**
   * With fresh exits: three in a row came up at addresses that the site has seen, so another exit at such an address is
   * fresh enough for it, until a launch brings a new one.
   */
  | { type: 'site.repeated'; site: string; address: string }
  | ({
      type: 'exit.failed'
      session: string
      region: string
      step: Step
      retryMs: number
      /** A launch in this region failed at this step with this code since an exit last came up there. */
      repeated: boolean
    } & ErrorData)
  | { type: 'exit.draining'; session: string; connections: number; remainingMs: number }
  /** The exit answers no probes (true) or is heard again (false). */
  | { type: 'exit.silent'; session: string; silent: boolean }
  /** The site gets no exit with this address any more; `launching`: none that is up can serve it. */
  | {
      type: 'site.banned'
      site: string
      session: string
      address: string
      launching: boolean
      /** The ban ends by itself after this long. */
      forMs: number
    }
  /** The site's bans are lifted: one launch after the other brought an address that it has banned, `address` last. */
  | { type: 'site.unbanned'; site: string; address: string }
  /** The site's answer would have banned its exit, but so many were banned within that time: it keeps this one. */
  | { type: 'site.spared'; site: string; session: string; status: number; bans: number; withinMs: number }
  /**
   * Settings and logins were read again: what is in effect now, what waits for the next start, and whose logins came,
   * went or changed.
   */
  | {
      type: 'config.reloaded'
      applied: Change[]
      needRestart: Change[]
      logins: { added: string[]; removed: string[]; changed: string[] }
    }
  /** They are wrong, and nothing has changed. */
  | ({ type: 'config.rejected' } & ErrorData)
  /** The launch budget is used up; launches go on when a minute has passed. */
  | { type: 'fleet.throttled'; launchesPerMinute: number }
  /**
   * This machine has other addresses than before, or its clock shows that the process did not run for so long: exits
   * that do not answer at once are replaced.
   */
  | { type: 'network.changed'; change: 'addresses' }
  | { type: 'network.changed'; change: 'pause'; ms: number }
  /** No connection was open or asked for this long: no exit runs until one is. */
  | { type: 'fleet.asleep'; idleMs: number }
  /** A connection asks for an exit while none runs. */
  | { type: 'fleet.waking' }
  /** The first exit is up again; `ms` since the connection asked for it. */
  | { type: 'fleet.awake'; ms: number }
  | { type: 'exit.closed'; session: string; code: string; message: string }
  /** The first exit is up, at `address`. Host and port are those of the first listener. */
  | {
      type: 'proxy.ready'
      host: string
      port: number
      listeners: ListenerAddress[]
      address: string
    }
  | {
      type: 'connection.opened'
      connection: number
      outbound: OutboundName
      /** None where it does not go through an exit. */
      session: string | undefined
      target: string
      /** Whose login asked for it. */
      user?: string | undefined
      ms: number
      /** What it carries, counted on: for those in this process that look now and then. */
      counts?: RelayCounts
    }
  /** The target, the exit or a rule said no; `reply` is SOCKS's code for it (RFC 1928, section 6). */
  | ({ type: 'connection.refused'; reply: number } & NotConnected)
  /** No exit was there for it, or it was lost. */
  | ({ type: 'connection.failed' } & NotConnected)
  /** A client was rejected before it could ask for a target: its login or its protocol was wrong, or there were too many. */
  | ({ type: 'client.rejected'; protocol: 'socks5' | 'http' | 'unknown' } & ErrorData)
  | {
      type: 'connection.closed'
      connection: number
      session: string | undefined
      user?: string | undefined
      bytesUp: number
      bytesDown: number
      ms: number
      end: RelayEnd
    }
  /** What was spent of the budget so far, by all runs on this machine: every 5 s, when it has changed. */
  | ({ type: 'budget.sampled'; state: 'open' | 'low' | 'spent' } & BudgetUse)
  /** 80 % of it is spent. */
  | ({ type: 'budget.low' } & BudgetUse)
  /** All of it is: no exit is launched (unless it only warns), and those that run have a minute left. */
  | ({ type: 'budget.spent' } & BudgetUse)
  /** There is money again: another day or month has begun, or the budget was raised. */
  | ({ type: 'budget.renewed' } & BudgetUse)
  /** What logins have used of their quota's period (a month without a quota), of all runs: those whose use changed. */
  | { type: 'usage.sampled'; users: Usage[] }
  /** A login's quota is used up: its connections were ended, and it gets no others until then. */
  | { type: 'quota.reached'; user: string; quota: number; period: 'day' | 'month'; resetsAt: number }
  /** What was spent and used cannot be written down; it is counted on, and written when it can be. Told once. */
  | ({ type: 'ledger.failed' } & ErrorData)
  /** The audit file cannot be written, or can be again; `lost` entries did not fit into memory meanwhile. */
  | ({ type: 'audit.failed' } & ErrorData)
  | { type: 'audit.recovered'; lost: number }
  /** Once a second: what the connections that moved have carried so far, and how the paths to the exits are. */
  | {
      type: 'traffic.sampled'
      connections: { connection: number; bytesUp: number; bytesDown: number }[]
      paths: Path[]
    }
  /** The page can be opened; `busy` is the default port when something else has it. */
  | { type: 'dashboard.ready'; url: string; busy?: number }
  | { type: 'function.log'; session: string | undefined; level: string; message: string; fields: object }

export interface Events {
  emit(event: ProxyEvent): void
  /** Gives the function that ends the subscription. */
  subscribe(listener: (event: ProxyEvent) => void): () => void
}

export function createEvents(): Events {
  const listeners = new Set<(event: ProxyEvent) => void>()
  return {
    emit: event => {
      for (const listener of listeners) listener(event)
    },
    subscribe: listener => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
