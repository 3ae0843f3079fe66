import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Budget, parseBudget } from '../../cli/client/budget/parse-budget.ts'
import { type BudgetAction, Spending } from '../../cli/client/budget/spending.ts'
import { Ledger } from '../../cli/client/ledger/ledger.ts'
import { createEvents, type ProxyEvent } from '../../cli/client/stats/events.ts'

const test = suite<{ folder: string; path: string }>('a budget')

test.before.each(async context => {
  context.folder = await mkdtemp(join(tmpdir(), 'lambda-nat-proxy-test-'))
  context.path = join(context.folder, 'usage.db')
})
test.after.each(({ folder }) => rm(folder, { recursive: true }))

const five: Budget = { dollars: 5, period: 'month' }

/** A run whose cost the test says. */
function run(path: string, budget: Budget | undefined = five, action: BudgetAction = 'stop') {
  const clock = { now: Date.UTC(2026, 1, 27, 12) }
  const ledger = new Ledger(path)
  const events = createEvents()
  const told: ProxyEvent[] = []
  events.subscribe(event => told.push(event))
  let cost = 0
  const spending = new Spending({ events, ledger, cost: () => cost, budget, action, now: () => clock.now })
  let changes = 0
  spending.subscribe(() => changes++)
  return {
    ...{ spending, events, ledger, clock },
    spend(dollars: number) {
      cost += dollars
      spending.write()
    },
    told: (type: ProxyEvent['type']) => told.filter(event => event.type === type).length,
    changes: () => changes,
    close() {
      spending.close()
      ledger.close()
    },
  }
}

test('is read as people write it', () => {
  assert.equal(parseBudget('5/month'), five)
  assert.equal(parseBudget('$0.50 / day'), { dollars: 0.5, period: 'day' })
  for (const wrong of ['5', '5/week', '0/month', '-1/day', 'five/month', '5€/month', '1e9/month', ''])
    assert.throws(() => parseBudget(wrong), 'US dollars', wrong)
})

test('is told at 80 %, and stops at 100 %', ({ path }) => {
  const { spending, spend, told, changes, close } = run(path)
  spend(3.9)
  assert.equal([told('budget.low'), told('budget.spent')], [0, 0])
  spend(0.2)
  spend(0.5)
  assert.equal([told('budget.low'), told('budget.spent')], [1, 0])
  assert.is(spending.refusal, undefined)
  spend(0.4)
  spend(0.1)
  assert.equal([told('budget.low'), told('budget.spent')], [1, 1])
  assert.is(spending.refusal?.code, 'E_BUDGET_SPENT')
  assert.match(spending.refusal!.message, '2026-03-01')
  assert.ok(changes() >= 1)
  close()
})

test('is shared by all runs of a machine, and kept from one to the next', ({ path }) => {
  const [a, b] = [run(path), run(path)]
  a.spend(2.5)
  b.spend(2.4)
  a.spend(0)
  assert.equal([a.spending.refusal, b.spending.refusal], [undefined, undefined])
  b.spend(0.1)
  a.spend(0)
  assert.ok(a.spending.refusal && b.spending.refusal)
  a.close()
  b.close()
  // In the middle of the month another one starts: it launches nothing from the first moment on.
  const next = run(path)
  assert.ok(next.spending.refusal)
  assert.is(next.ledger.spend('2026-02'), 5)
  next.close()
  // Without a budget what is spent is written down as well.
  const free = run(path, undefined)
  free.spend(1)
  free.close()
  const last = run(path, { dollars: 6.5, period: 'month' })
  assert.is(last.told('budget.spent'), 0)
  assert.is(last.ledger.spend('2026-02'), 6)
  last.close()
})

test('begins anew with the day or month, and when it is raised', ({ path }) => {
  const month = run(path)
  month.spend(5)
  month.spending.update({ budget: { dollars: 10, period: 'month' }, action: 'stop' })
  assert.is(month.spending.refusal, undefined)
  assert.is(month.told('budget.renewed'), 1)
  month.spend(5)
  assert.ok(month.spending.refusal)
  month.clock.now = Date.UTC(2026, 2, 1)
  month.spend(0)
  assert.is(month.spending.refusal, undefined)
  assert.is(month.told('budget.renewed'), 2)
  month.close()
})

test('a month is all of its days, and a day is one', ({ path }) => {
  const month = run(path)
  month.spend(3)
  month.clock.now += 86_400_000
  month.spend(2)
  assert.ok(month.spending.refusal)
  month.spending.update({ budget: { dollars: 3, period: 'day' }, action: 'stop' })
  assert.is(month.spending.refusal, undefined)
  month.spend(1)
  assert.match(month.spending.refusal!.message, '2026-03-01')
  month.close()
})

test('nothing is forgotten when the clock is set back', ({ path }) => {
  const clock = { now: Date.UTC(2026, 1, 1, 12) }
  const ledger = new Ledger(path)
  const events = createEvents()
  let cost = 0
  const spending = new Spending({
    ...{ events, ledger, budget: five, action: 'stop' },
    cost: () => cost,
    now: () => clock.now,
  })
  cost = 2
  clock.now += 6_000
  spending.look()
  assert.is(ledger.spend('2026'), 2)
  // What an exit has cost so far goes by the same clock.
  clock.now -= 86_400_000
  cost = 1
  spending.look()
  assert.is(ledger.spend('2026'), 2)
  cost = 3
  spending.look()
  clock.now += 6_000
  spending.look()
  assert.equal([ledger.spend('2026'), ledger.spend('2026-01')], [3, 1])
  spending.close()
  ledger.close()
})

test('only warns where that is wanted', ({ path }) => {
  const { spending, spend, told, close } = run(path, five, 'warn')
  spend(50)
  assert.is(told('budget.spent'), 1)
  assert.is(spending.refusal, undefined)
  spending.update({ budget: five, action: 'stop' })
  assert.ok(spending.refusal)
  close()
})

test('a launch is written down at once', async ({ path }) => {
  const { events, ledger, close } = run(path)
  let cost = 0
  const spending = new Spending({ events, ledger, cost: () => cost, budget: five, action: 'stop' })
  // The model hears of it as well, and knows then what it costs.
  events.subscribe(({ type }) => {
    if (type === 'exit.step') cost = 0.00001
  })
  events.emit({ type: 'exit.step', session: 'a', step: 'offer', ms: 1, detail: '' })
  await Promise.resolve()
  assert.is(ledger.spend(''), 0.00001)
  spending.close()
  close()
})

test('a ledger that fails is told once, and what is spent counts on', ({ path }) => {
  const { spending, ledger, spend, told } = run(path)
  ledger.close()
  spend(3)
  spend(3)
  assert.is(told('ledger.failed'), 1)
  assert.ok(spending.refusal)
})

test.run()
