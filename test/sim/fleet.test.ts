import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { newBans } from '../../cli/client/fleet/bans.ts'
import { isAccepting, plan, planAgainAt } from '../../cli/client/fleet/plan.ts'
import type { FleetState } from '../../cli/client/fleet/state.ts'
import { type Planner, runSchedule } from './world.ts'

const test = suite('The fleet in a simulated world')

const schedules = 2_000

test('keeps every rule in thousands of random schedules', () => {
  const started = performance.now()
  const total = { events: 0, plans: 0, launches: 0, connections: 0, bans: 0 }
  for (let seed = 1; seed <= schedules; seed++) {
    const tally = runSchedule(seed)
    for (const key of Object.keys(total) as (keyof typeof total)[]) total[key] += tally[key]
  }
  const counts = Object.entries(total).map(([name, count]) => `${count} ${name}`)
  const seconds = ((performance.now() - started) / 1_000).toFixed(1)
  console.log(`figure: simulation ${schedules} schedules, ${counts.join(', ')} checked in ${seconds} s`)
})

test('a schedule is the same every time', () => {
  assert.equal(runSchedule(7), runSchedule(7))
})

/** As if it never slept. */
const awake = (state: FleetState): FleetState => ({
  ...state,
  settings: { ...state.settings, idleMs: Number.POSITIVE_INFINITY },
})

/** Planners that decide badly, each in one way, and the rule that finds them out. */
const wrong: [string, Partial<Planner>, RegExp][] = [
  [
    'retires exits before their replacements are there',
    {
      plan: (state, now) => [
        ...plan(state, now),
        ...[...state.exits.values()]
          .filter(({ phase, retired }) => phase === 'active' && retired)
          .map(({ id }) => ({ type: 'drain' as const, id })),
      ],
    },
    /exits are retired that leave|is retired/,
  ],
  [
    'does not count what it launched',
    { plan: (state, now) => plan({ ...state, launches: [] }, now) },
    /launches in a minute/,
  ],
  [
    'never tries a region again that failed',
    {
      plan: (state, now) =>
        plan(state, now).filter(
          action => action.type !== 'launch' || state.regions.get(action.region)!.failures === 0,
        ),
    },
    /nothing is launched/,
  ],
  [
    'forgets to look again when time has passed',
    { planAgainAt: () => Number.POSITIVE_INFINITY },
    /nothing is launched|still takes connections|an exit is kept/,
  ],
  ['looks again all the time', { planAgainAt: (_, now) => now + 1 }, /plans in a second/],
  [
    'keeps what is no longer used',
    { plan: (state, now) => plan(state, now).filter(({ type }) => type !== 'close') },
    /is kept, and billed/,
  ],
  [
    'closes a draining exit under its connections',
    {
      plan: (state, now) => [
        ...plan(state, now),
        ...[...state.exits.values()]
          .filter(({ phase, connections }) => phase === 'draining' && connections > 0)
          .map(({ id }) => ({ type: 'close' as const, id })),
      ],
    },
    /closed under its connections/,
  ],
  [
    'launches nothing for a site that has banned all exits',
    { plan: (state, now) => plan(state, now).filter(action => action.type !== 'launch' || !action.extra) },
    /has banned all exits/,
  ],
  [
    'retires an exit that a site has banned under all the others',
    {
      plan: (state, now) => [
        ...plan(state, now),
        ...[...state.exits.values()]
          .filter(
            ({ phase, address = '' }) =>
              phase === 'active' && [...state.bans.sites.values()].some(addresses => addresses.has(address)),
          )
          .map(({ id }) => ({ type: 'drain' as const, id })),
      ],
    },
    /exits are retired that leave|is retired while/,
  ],
  [
    'forgets the site that an exit was launched for',
    {
      plan: (state, now) =>
        plan(state, now).concat(
          plan({ ...state, bans: newBans() }, now).filter(({ type }) => type === 'drain'),
        ),
    },
    /has not banned is retired|exits are retired that leave|is retired/,
  ],
  [
    'gives all sites the exit that one of them needs',
    {
      plan(state, now) {
        const exits = [...state.exits.values()].map(exit => [exit.id, { ...exit, extra: false }] as const)
        return plan({ ...state, exits: new Map(exits) }, now)
      },
    },
    /exits are retired that leave/,
  ],
  [
    'never sleeps',
    {
      plan: (state, now) => plan(awake(state), now),
      planAgainAt: (state, now) => planAgainAt(awake(state), now),
    },
    /nobody uses the proxy/,
  ],
  [
    'forgets to fall asleep',
    { planAgainAt: (state, now) => planAgainAt(awake(state), now) },
    /nobody uses the proxy, yet an exit is (kept|launched)/,
  ],
  [
    'keeps replacing exits while it should sleep',
    {
      plan: (state, now) => [
        ...plan(awake(state), now).filter(({ type }) => type === 'launch'),
        ...plan(state, now).filter(({ type }) => type !== 'launch'),
      ],
    },
    /nobody uses the proxy, yet an exit is launched/,
  ],
  [
    'falls asleep too soon',
    { plan: (state, now) => plan({ ...state, usedAt: state.usedAt - 1_500 }, now) },
    /exits are retired that leave|closed as soon as/,
  ],
  [
    'does not wake for those who wait',
    {
      plan: (state, now) =>
        plan(state, now).filter(
          ({ type }) => type !== 'launch' || state.exits.size > 0 || state.waiting === 0 || !state.everUp,
        ),
    },
    /nothing is launched|a connection waited/,
  ],
  [
    'lets the exits go when no other can be launched',
    {
      plan: (state, now) => {
        const regions = new Map([...state.regions].map(([name, region]) => [name, { ...region, retryAt: 0 }]))
        return [
          ...plan(state, now).filter(({ type }) => type === 'launch'),
          ...plan({ ...state, launches: [], regions }, now).filter(({ type }) => type !== 'launch'),
        ]
      },
    },
    /exits are retired that leave/,
  ],
  [
    'launches what it cannot pay for',
    { plan: (state, now) => plan({ ...state, spentAt: Number.POSITIVE_INFINITY }, now) },
    /the budget is used up, yet an exit/,
  ],
  [
    'pays for what connections ask for',
    {
      plan: (state, now) =>
        state.waiting === 0 && state.demands.size === 0
          ? plan(state, now)
          : plan({ ...state, spentAt: Number.POSITIVE_INFINITY }, now),
    },
    /the budget is used up, yet an exit/,
  ],
  [
    'lets what is open go on when the budget is used up',
    {
      plan: (state, now) =>
        plan(state, now).filter(
          action => action.type !== 'close' || state.exits.get(action.id)?.connections === 0,
        ),
    },
    /the budget is used up, yet an exit is kept/,
  ],
  [
    'forgets to end what is open when the budget is used up',
    {
      planAgainAt(state, now) {
        const again = planAgainAt({ ...state, spentAt: Number.POSITIVE_INFINITY }, now)
        return state.spentAt < Number.POSITIVE_INFINITY ? again + 10_000 : again
      },
      plan: (state, now) => plan(state, now).filter(({ type }) => type !== 'close' || now % 60_000 > 30_000),
    },
    /is kept, and billed/,
  ],
  [
    'keeps exits whose addresses were seen before',
    {
      plan: (state, now) =>
        plan(state, now).filter(action => action.type !== 'drain' || !state.exits.get(action.id)?.isUsedUp),
    },
    /may take nothing is kept/,
  ],
  [
    'launches nothing for sites that have seen all exits',
    {
      plan: (state, now) => plan({ ...state, freshness: { ...state.freshness, demands: new Map() } }, now),
    },
    /their sites have not seen/,
  ],
  [
    'gives exits more connections than they may take',
    {
      plan: (state, now) => {
        for (const exit of state.exits.values()) exit.isUsedUp = false
        return plan(state, now)
      },
    },
    /may take no more|may take nothing/,
  ],
  [
    'launches for those who wait though an exit that came up has room for them',
    {
      plan(state, now) {
        const served = state.settings.connectionsPerExit
        const exits = [...state.exits.values()].map(exit => [exit.id, { ...exit, served }] as const)
        return plan({ ...state, exits: new Map(exits) }, now)
      },
    },
    /have room on others/,
  ],
  [
    'launches one too many',
    {
      plan: (state, now) => {
        const some = [...state.exits.values()].some(exit => isAccepting(exit, now))
        const spare = { ...state.settings, sessions: state.settings.sessions + (some ? 4 : 0) }
        return plan({ ...state, settings: spare }, now)
      },
    },
    /are kept where|under way at once/,
  ],
]

for (const [what, change, rule] of wrong)
  test(`a plan that ${what} is found out`, () => {
    assert.throws(() => {
      for (let seed = 1; seed <= 100; seed++) runSchedule(seed, { plan, planAgainAt, ...change })
    }, rule)
  })

test.run()
