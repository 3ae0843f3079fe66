import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { judge, type Needed, trialGoal } from '../bench/goals/goal.ts'
import { goalRows, goals } from '../bench/goals/goals.ts'
import { verdictLines } from '../bench/goals/lines.ts'
import { planFor } from '../bench/goals/plan.ts'
import { pathFigures, type WayCounters, waitSteps } from '../bench/path.ts'
import type { Report } from '../bench/report.ts'
import { middle, type Trial } from '../bench/trial.ts'
import { nearWorkloads, sizes } from '../bench/workloads.ts'

// What the bench makes of its figures. What it measures is not tested: that is what it is for.

const test = suite('The bench: medians, paths and goals')

const trial = (subject: string, mbits: number, more: Partial<Trial> = {}): Trial => ({
  ...{ place: '', subject, workload: 'down', seconds: 1, bytes: 1, failures: 0, mbits, mbitsEach: [mbits] },
  ...{ rate: 0, connectP50: 0, connectP99: 0, firstByteP50: 0, firstByteP99: 0, fairness: 1, share: 1 },
  cpu: { exit: 1, client: 1, origin: 0, reader: 0 },
  peakMb: { exit: 10, client: 10 },
  ...more,
})
const report = (...trials: Trial[]): Report => ({
  ...{ date: '', commit: '', machine: '', size: 'quick', leftOut: [] },
  trials,
})
const of = (subject: string): Needed => ({ series: 'near', subject, workload: 'down' })
const goal = trialGoal({
  row: 'loopback',
  what: 'one stream',
  ours: of('chain'),
  others: [of('hysteria'), of('tuic')],
  figure: ({ mbits }) => mbits,
  unit: 'Mbit/s',
  atLeast: 1,
})

test('a goal is met, missed by a share of its bound, or not measured', () => {
  const others = [trial('hysteria', 100), trial('tuic', 200)]
  assert.is(judge(goal, report(trial('chain', 300), ...others)).outcome, 'met')
  const missed = judge(goal, report(trial('chain', 150), ...others))
  assert.equal([missed.outcome, missed.value, missed.missedBy], ['missed', 0.75, 0.25])
  assert.is(judge(goal, report(trial('chain', 300))).outcome, 'not measured')
  // Speed is worth nothing when connections fail.
  assert.is(judge(goal, report(trial('chain', 300, { failures: 1 }), ...others)).outcome, 'missed')
})

test('its line says which, by how much, and of what', () => {
  const verdict = judge(goal, report(trial('chain', 150), trial('hysteria', 100), trial('tuic', 200)))
  const [, line, sum] = verdictLines([verdict])
  assert.is(
    line,
    'MISSED  loopback: one stream: 0.75 ×, goal at least 1, by 25.0 % (150 against 100, 200 Mbit/s)',
  )
  assert.is(sum, '0 of 1 goals met, 1 missed, 0 not measured.')
})

test('every goal has a trial of each that it compares, three times', () => {
  const { series, startUp, minutes } = planFor(goals, sizes.normal)
  assert.ok(startUp)
  assert.ok(minutes <= 25, `${minutes} min`)
  for (const { needs, what } of goals)
    for (const { series: name, subject, workload, place = '' } of needs) {
      const found = series.find(one => one.name === name)
      const has = [found?.subjects, found?.workloads, found?.places].map(items =>
        items?.map(({ name }) => name),
      )
      assert.ok(has[0]?.includes(subject) && has[1]?.includes(workload) && has[2]?.includes(place), what)
      assert.ok(found?.suits?.(subject, workload), what)
      assert.is(found?.repetitions, 3)
    }
  assert.ok(goalRows.includes('beside'))
})

test('of three trials the one in the middle counts; failures are those of the worst', () => {
  const workload = nearWorkloads(sizes.quick).find(({ name }) => name === 'down')!
  const memory = (exit: number) => ({ peakMb: { exit, client: 1 } })
  const found = middle(
    [trial('a', 3, memory(9)), trial('a', 1, { ...memory(5), failures: 2 }), trial('a', 2, memory(7))],
    workload,
  )
  assert.equal([found.mbits, found.peakMb.exit, found.failures], [2, 7, 2])
})

test('what was sent again is what the queue dropped and what nobody needed', () => {
  const way = (packets: number, size: number, more: Partial<WayCounters> = {}): WayCounters => ({
    ...{ packets, bytes: packets * size, lost: 0, dropped: 0, waits: new Array(waitSteps).fill(0) },
    ...more,
  })
  const none = { up: way(0, 0), down: way(0, 0) }
  const waits = new Array(waitSteps).fill(0)
  waits[40] = 1000
  // 1,000 packets with 939 bytes of payload each: 10 lost, 20 dropped, and 950 were needed.
  const down = way(1000, 1000, { lost: 10, dropped: 20, waits })
  const { lost, dropped, sentAgain, roundTripP50 } = pathFigures(20, 939 * 950, none, {
    up: way(500, 60),
    down,
  })
  assert.equal([lost, dropped, sentAgain, roundTripP50], [0.01, 0.02, 0.04, 40])
})

test.run()
