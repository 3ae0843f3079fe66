import { policies } from '../../cli/client/fleet/select.ts'
import type { FleetSettings } from '../../cli/client/fleet/state.ts'
import type { Random } from '../support/random.ts'

/** What the world does to a fleet in one run; all of it follows from the seed. Times in milliseconds. */
export interface Schedule {
  settings: FleetSettings
  policy: (typeof policies)[number]
  regions: string[]
  /** How long the run lasts. */
  untilMs: number
  /** Life of a function, by Lambda's limit. */
  lifeMs: number
  /** Of the launches this share fails. */
  failing: number
  /** Of the exits this share dies before its time, and this share falls silent at some time. */
  dying: number
  silencing: number
  /** Mean time between connections, between outages of a region, and between a person's clicks on rotate. */
  connectEveryMs: number
  outageEveryMs: number
  clickEveryMs: number
  /** Mean time between moves to another network. */
  moveEveryMs: number
  /** Of the connections this share asks for a region. */
  choosy: number
  /** Mean time between bans: the exit that a site used last is banned for it. */
  banEveryMs: number
  /** So many public addresses each region's exits have: with few, the next exit may have one that is banned. */
  addresses: number
  /** When the budget is used up, and how long after that it begins anew. */
  spentAtMs: number
  spentForMs: number
}

const regionNames = ['us-east-1', 'eu-west-1', 'eu-central-1', 'ap-south-1']

/** Launches a minute that are never used up. */
const ample = 200

/** A third of the schedules are calm: nothing fails, so nothing may ever be missing. */
export const isCalm = ({
  settings,
  failing,
  dying,
  silencing,
  outageEveryMs,
  moveEveryMs,
}: Schedule): boolean =>
  settings.launchesPerMinute === ample &&
  failing + dying + silencing === 0 &&
  outageEveryMs === Number.POSITIVE_INFINITY &&
  moveEveryMs === Number.POSITIVE_INFINITY

export function drawSchedule(random: Random): Schedule {
  const one = <T>(choices: readonly T[]): T => choices[random.int(choices.length)]!
  const calm = random.chance(1 / 3)
  const fault = <T>(none: T, choices: readonly T[]) => (calm ? none : one([none, ...choices]))
  const never = Number.POSITIVE_INFINITY
  const policy = one(policies)
  return {
    settings: {
      sessions: 1 + random.int(4),
      standby: random.int(3),
      rotateMs: one([never, 20_000, 60_000, 150_000]),
      // A calm world's fleet can pay for what it needs.
      launchesPerMinute: calm ? ample : one([1, 3, 8, 20, 60]),
      distinct: random.chance(0.3),
      fresh: policy === 'fresh',
      connectionsPerExit: one([never, never, never, 1, 5]),
      idleMs: one([never, never, 2_000, 10_000, 60_000]),
    },
    policy,
    regions: regionNames.slice(0, 1 + random.int(regionNames.length)),
    untilMs: 120_000 + random.int(480_000),
    lifeMs: one([60_000, 120_000, 600_000]),
    failing: fault(0, [0.05, 0.3, 0.9]),
    dying: fault(0, [0.1, 0.5, 1]),
    silencing: fault(0, [0.1, 0.5, 1]),
    connectEveryMs: one([1_000, 5_000, 20_000, 100_000]),
    outageEveryMs: fault(never, [60_000, 300_000]),
    clickEveryMs: one([never, 30_000, 200_000]),
    moveEveryMs: fault(never, [20_000, 120_000]),
    choosy: one([0, 0, 0.02, 0.3]),
    banEveryMs: one([never, 10_000, 60_000]),
    addresses: one([1, 3, 1_000]),
    spentAtMs: one([never, never, 0, 30_000, 100_000]),
    spentForMs: one([never, 5_000, 90_000]),
  }
}
