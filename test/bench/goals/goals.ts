import { cpuPerByte } from '../cpu-per-byte.ts'
import type { StartUp } from '../start-up.ts'
import type { Trial } from '../trial.ts'
import { type Goal, type Needed, trialGoal } from './goal.ts'

// What the engine is to reach, each figure the median of three in one run. Where it is compared with others, they are
// measured in the same run, in turn with it.

const ways = ['down', 'up'] as const

const mbits = ({ mbits }: Trial) => mbits
const exitMb = ({ peakMb }: Trial) => peakMb.exit

const near = (subject: string, workload: string): Needed => ({ series: 'near', subject, workload })
const goRivals = (workload: string) => ['hysteria', 'tuic'].map(subject => near(subject, workload))

const loopback = ways.flatMap(way => [
  trialGoal({
    row: 'loopback',
    what: `one stream ${way}, to the faster of Hysteria and TUIC`,
    ours: near('chain', way),
    others: goRivals(way),
    figure: mbits,
    unit: 'Mbit/s',
    atLeast: 1,
  }),
  trialGoal({
    row: 'loopback',
    what: `exit's CPU per byte ${way}, to the cheaper of Hysteria and TUIC`,
    ours: near('chain', way),
    others: goRivals(way),
    figure: trial => (cpuPerByte(trial) ?? Number.NaN) * 1e9,
    unit: 's/GB',
    atMost: 0.8,
  }),
])

const held = (
  [
    ['chain-256', 0.14, 250],
    ['chain-128', 0.07, 100],
  ] as const
).flatMap(([subject, cores, atLeast]) =>
  ways.map(way =>
    trialGoal({
      row: 'held',
      what: `one stream ${way}, function held to ${cores} of a core`,
      ours: { series: 'held', subject, workload: way },
      figure: mbits,
      unit: 'Mbit/s',
      atLeast,
    }),
  ),
)

const far = ['100 ms, 0 %', '100 ms, 1 %', '100 ms, 3 %', '20 ms, 1 %'].flatMap(place =>
  ways.map(way => {
    const of = (subject: string): Needed => ({ series: 'far', subject, workload: way, place })
    return trialGoal({
      row: 'far',
      what: `one stream ${way} over ${place}, to Hysteria`,
      ours: of('chain'),
      others: [of('hysteria')],
      figure: mbits,
      unit: 'Mbit/s',
      atLeast: 1.2,
    })
  }),
)

const narrow = [0, 1].flatMap(loss =>
  ways.flatMap(way => {
    const place = `50 Mbit/s, 20 ms, ${loss} %`
    const common = {
      row: 'bottleneck',
      ours: { series: 'bottleneck', subject: 'chain', workload: way, place } as const,
    }
    return [
      trialGoal({
        ...common,
        what: `one stream ${way} through ${place}`,
        figure: mbits,
        unit: 'Mbit/s',
        atLeast: 45,
      }),
      trialGoal({
        ...common,
        what: `sent again beyond what was lost, ${way} through ${place}`,
        figure: ({ path }) => path && path.sentAgain * 100,
        unit: '%',
        atMost: 2,
      }),
      trialGoal({
        ...common,
        what: `round trip p50 under load, ${way} through ${place}`,
        figure: ({ path }) => path?.roundTripP50,
        unit: 'ms',
        atMost: 45,
      }),
    ]
  }),
)

const beside = ways.map(way =>
  trialGoal({
    row: 'beside',
    what: `share beside one TCP CUBIC flow on that bottleneck, ${way}`,
    ours: { series: 'beside', subject: 'chain', workload: `beside-${way}`, place: '50 Mbit/s, 20 ms, 0 %' },
    figure: ({ share }) => share,
    unit: '',
    atLeast: 0.3,
    atMost: 0.7,
  }),
)

const toHysteria = (workload: string, ours = 'chain') => ({
  ours: near(ours, workload),
  others: [near('hysteria', workload)],
})
/** Hysteria tells the application that it is connected before it is, and this is the same of ours. */
const likeHysteria = (workload: string) => toHysteria(workload, 'chain-optimistic')

const many = [
  trialGoal({
    row: 'connect',
    what: '1,000 connections at once, p99 to Hysteria',
    ...toHysteria('connect'),
    figure: ({ connectP99 }) => connectP99,
    unit: 'ms',
    atMost: 1,
  }),
  trialGoal({
    row: 'connect',
    what: 'the same with --optimistic, which answers as early as Hysteria',
    ...likeHysteria('connect'),
    figure: ({ connectP99 }) => connectP99,
    unit: 'ms',
    atMost: 1,
  }),
  trialGoal({
    row: 'short',
    what: '10,000 short requests, a second, to Hysteria',
    ...toHysteria('short'),
    figure: ({ rate }) => rate,
    unit: 'a second',
    atLeast: 1,
  }),
  trialGoal({
    row: 'short',
    what: 'the same with --optimistic, which answers as early as Hysteria',
    ...likeHysteria('short'),
    figure: ({ rate }) => rate,
    unit: 'a second',
    atLeast: 1,
  }),
  trialGoal({
    row: 'mix',
    what: 'mix, the long streams, to Hysteria',
    ...toHysteria('mix'),
    figure: ({ mbitsEach }) => mbitsEach[0],
    unit: 'Mbit/s',
    atLeast: 1,
  }),
  trialGoal({
    row: 'mix',
    what: 'mix, first byte of the short requests p99, to Hysteria',
    ...toHysteria('mix'),
    figure: ({ firstByteP99 }) => firstByteP99,
    unit: 'ms',
    atMost: 1,
  }),
  trialGoal({
    row: 'streams',
    what: '100 streams down, to Hysteria',
    ...toHysteria('down100'),
    figure: mbits,
    unit: 'Mbit/s',
    atLeast: 1,
  }),
  trialGoal({
    row: 'streams',
    what: '100 streams down, the slowest’s share of the mean',
    ours: near('chain', 'down100'),
    figure: ({ fairness }) => fairness,
    unit: '',
    atLeast: 0.9,
  }),
]

const memory = [
  ...(
    [
      ['down', 'one stream down', 75],
      ['slow', '200 slow readers', 100],
      ['slow900', '900 slow readers', 115],
    ] as const
  ).map(([workload, title, atMost]) =>
    trialGoal({
      row: 'memory',
      what: `exit's memory, ${title}`,
      ours: near('chain', workload),
      figure: exitMb,
      unit: 'MB',
      atMost,
    }),
  ),
  trialGoal({
    row: 'memory',
    what: "client's memory, 1,000 connections at once",
    ours: near('chain', 'connect'),
    figure: ({ peakMb }) => peakMb.client,
    unit: 'MB',
    atMost: 110,
  }),
]

/** Beside the bundle with quiche, which is what was before. */
const startGoal = (what: string, unit: string, ours: keyof StartUp, other: keyof StartUp): Goal => ({
  row: 'start',
  what,
  needs: [],
  figures: ({ startUp }) => [ours, other].map(key => startUp && Number(startUp[key])),
  failures: () => 0,
  unit,
  atMost: 1,
})

const start = [
  startGoal("function's start, to the one with quiche", 'ms', 'functionMs', 'quicheMs'),
  startGoal("function's zip, to the one with quiche", 'MB', 'functionMb', 'quicheMb'),
]

export const goals: readonly Goal[] = [
  ...loopback,
  ...held,
  ...far,
  ...narrow,
  ...beside,
  ...many,
  ...memory,
  ...start,
]

/** By what goals are chosen. */
export const goalRows: readonly string[] = [...new Set(goals.map(({ row }) => row))]
