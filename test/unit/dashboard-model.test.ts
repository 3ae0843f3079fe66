import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { pathKind } from '../../cli/client/stats/state.ts'
import { merge } from '../../cli/dashboard/page/merge.ts'
import { carry, comeUp, end, type ModelContext, newModel, open } from '../support/model-story.ts'

const test = suite<ModelContext>('what the dashboard knows')

test.before.each(newModel)

test('a byte is counted once for its connection, its exit, its destination and in all', context => {
  comeUp(context, 'a')
  open(context, 1, 'a', 'www.example.co.uk:443')
  open(context, 2, 'a', 'cdn.example.co.uk:443')
  carry(context, 1, 10, 1_000)
  carry(context, 1, 15, 2_500)
  end(context, 1, 'a', 20, 3_000)
  carry(context, 2, 1, 2)

  const { totals, exits, destinations, connections } = context.model.state()
  assert.is(totals.bytesUp, 21)
  assert.is(totals.bytesDown, 3_002)
  assert.equal([exits[0]!.bytesUp, exits[0]!.bytesDown, exits[0]!.connections], [21, 3_002, 1])
  assert.equal(destinations, [
    { domain: 'example.co.uk', connections: 2, active: 1, bytesUp: 21, bytesDown: 3_002 },
  ])
  const [open2, ended1] = connections
  assert.equal([open2!.id, open2!.bytesDown, open2!.endedAt], [2, 2, undefined])
  assert.equal([ended1!.id, ended1!.bytesDown, ended1!.end], [1, 3_000, 'complete'])
})

test('connections that were not made are shown with where they were to go', ({ events, model }) => {
  const outbound = 'tunnel'
  const refused = { code: 'E_TARGET_REFUSED', message: 'the target refused the connection' }
  const failed = { code: 'E_EXIT_TIMEOUT', message: 'no exit', hint: 'wait' }
  events.emit({
    type: 'connection.refused',
    connection: 1,
    outbound,
    target: 'a.example:80',
    reply: 5,
    ...refused,
  })
  events.emit({ type: 'connection.failed', connection: 2, outbound, target: 'b.example:80', ...failed })
  const { connections, totals } = model.state()
  assert.equal(
    connections.map(({ id, outbound, end, reply, error }) => [id, outbound, end, reply, error]),
    [
      [1, 'tunnel', 'refused', 5, refused],
      [2, 'tunnel', 'failed', undefined, failed],
    ],
  )
  assert.equal([totals.refused, totals.failed, totals.active], [1, 1, 0])
  assert.equal(
    [...model.connectionErrors],
    [
      ['E_TARGET_REFUSED', 1],
      ['E_EXIT_TIMEOUT', 1],
    ],
  )
})

test('rejected clients are counted by the reason, with its last message and the way out', ({
  events,
  model,
}) => {
  const reject = (code: string, message: string, hint?: string) =>
    events.emit({ type: 'client.rejected', protocol: 'socks5', code, message, ...(hint && { hint }) })
  reject('E_LOGIN_WRONG', 'wrong', 'compare')
  reject('E_CLIENTS_WAITING', 'a holds many')
  reject('E_LOGIN_WRONG', 'wrong again', 'compare')
  const { rejections, totals } = model.state()
  assert.equal(
    rejections.map(({ rejectedAt: _, ...rejection }) => rejection),
    [
      { code: 'E_LOGIN_WRONG', message: 'wrong again', hint: 'compare', count: 2 },
      { code: 'E_CLIENTS_WAITING', message: 'a holds many', count: 1 },
    ],
  )
  assert.is(totals.rejected, 3)
})

test('what a connection carried between the last sample and its end counts, and so does one that was never sampled', context => {
  comeUp(context, 'a')
  open(context, 1, 'a', '198.51.100.7:80')
  end(context, 1, 'a', 7, 70)
  assert.equal(context.model.carried, [
    { outbound: 'tunnel', region: 'eu-west-1', bytesUp: 7, bytesDown: 70 },
  ])
  assert.is(context.model.totals.active, 0)
})

test('traffic that goes past the exits is told apart from what goes through them', context => {
  open(context, 1, undefined, 'printer.local:631')
  end(context, 1, undefined, 5, 6)
  assert.equal(context.model.carried, [{ outbound: 'direct', region: undefined, bytesUp: 5, bytesDown: 6 }])
})

test("an exit's replacement is due when it says, and at another time once the rotation has changed", context => {
  comeUp(context, 'a')
  const { now } = context.clock
  assert.is(context.model.exits[0]!.replaceAt, now + 600_000)
  context.clock.now += 1_000
  context.events.emit({ type: 'exit.rescheduled', session: 'a', replaceMs: 60_000 })
  assert.is(context.model.exits[0]!.replaceAt, now + 61_000)
  assert.is(context.model.exits[0]!.deadlineAt, now + 600_000)
})

test('the rate is what came within the last four samples, whenever they were; a point has its own', context => {
  comeUp(context, 'a')
  open(context, 1, 'a', 'example.com:443')
  for (const _ of Array(4)) context.events.emit({ type: 'traffic.sampled', connections: [], paths: [] })
  const rates: number[] = []
  for (const ms of [2_000, 1_000, 1_000, 1_000, 1_000]) {
    context.clock.now += ms
    carry(context, 1, 0, 10_000)
    rates.push(context.model.rate.down)
  }
  assert.equal(rates, [5_000, 10_000 / 3, 2_500, 2_000, 0])
  assert.equal(
    context.model
      .state()
      .series[0]!.points.slice(-5)
      .map(({ down }) => down),
    [5_000, 0, 0, 0, 0],
  )
})

test('an exit goes from coming up to active, silent, heard again, draining and ended', context => {
  const { events, model } = context
  const seen: string[] = []
  const look = () => {
    const [exit] = model.exits
    seen.push(exit!.silent ? 'silent' : exit!.phase)
  }
  events.emit({ type: 'exit.launching', session: 'a', region: 'eu-west-1' })
  look()
  comeUp(context, 'a')
  look()
  events.emit({ type: 'exit.silent', session: 'a', silent: true })
  look()
  events.emit({ type: 'exit.silent', session: 'a', silent: false })
  look()
  events.emit({ type: 'exit.draining', session: 'a', connections: 0, remainingMs: 1 })
  look()
  events.emit({ type: 'exit.closed', session: 'a', code: 'E_QUIC_CLOSED', message: 'drained' })
  look()
  assert.equal(seen, ['launching', 'active', 'silent', 'active', 'draining', 'ended'])
  context.clock.now += 60_000
  events.emit({ type: 'traffic.sampled', connections: [], paths: [] })
  assert.is(model.exits.length, 0)
})

test('a launch that fails is kept with its step and reason', context => {
  const { events, model } = context
  events.emit({ type: 'exit.launching', session: 'a', region: 'eu-west-1' })
  events.emit({
    type: 'exit.failed',
    code: 'E_ANSWER_TIMEOUT',
    session: 'a',
    region: 'eu-west-1',
    step: 'answer',
    message: 'no answer',
    hint: 'look at its log',
    retryMs: 500,
    repeated: false,
  })
  const { launches, totals } = model.state()
  assert.equal(launches[0]!.failure, {
    step: 'answer',
    code: 'E_ANSWER_TIMEOUT',
    message: 'no answer',
    hint: 'look at its log',
    retryMs: 500,
  })
  assert.is(totals.launchesFailed, 1)
})

test('loss is that of the packets sent since the last sample', context => {
  comeUp(context, 'a')
  const path = (sent: number, lost: number) =>
    context.events.emit({
      type: 'traffic.sampled',
      connections: [],
      paths: [{ session: 'a', rttMs: 12, sent, lost }],
    })
  path(100, 10)
  path(200, 15)
  path(200, 15)
  const losses = context.model.state().series[0]!.points.map(({ paths }) => paths.a!.loss)
  assert.equal(losses, [0.1, 0.05, 0])
})

test('five minutes are kept by the second, an hour by ten, and twelve hours by the minute', context => {
  comeUp(context, 'a')
  open(context, 1, 'a', 'example.com:443')
  for (let second = 1; second <= 13 * 3600; second++) {
    context.clock.now += 1_000
    carry(context, 1, 0, second * 100)
  }
  const series = context.model.state().series
  assert.equal(
    series.map(({ stepMs, points }) => [stepMs, points.length]),
    [
      [1_000, 300],
      [10_000, 360],
      [60_000, 720],
    ],
  )
  for (const { points } of series) for (const { down } of points) assert.is(Math.round(down), 100)
  const [, tens] = series
  assert.is(tens!.points[1]!.at - tens!.points[0]!.at, 10_000)
})

test('updates, merged one after the other, give what the whole would have given', context => {
  const { events, model, clock } = context
  comeUp(context, 'a')
  let page = model.state()
  let at = page.now
  for (let i = 1; i <= 700; i++) {
    clock.now += 1_000
    open(context, i, 'a', `host${i % 7}.example:443`)
    carry(context, i, i, i * 10)
    if (i > 3) end(context, i - 3, 'a', i - 3, (i - 3) * 10)
    if (i % 50 === 0)
      events.emit({
        type: 'connection.failed',
        connection: 10_000 + i,
        outbound: undefined,
        target: 'x:1',
        code: 'E',
        message: '',
      })
    const update = model.state(at)
    assert.ok(update.connections.length < 10)
    page = merge(page, update)
    at = update.now
  }
  const whole = model.state()
  const byId = (state: typeof whole) => [...state.connections].sort((a, b) => a.id - b.id)
  assert.equal(byId(page), byId(whole))
  assert.equal(page.series, whole.series)
  assert.is(whole.connections.length, 500 + 3)
})

test('a path is direct, by an open port, or by a relay', context => {
  const { events, model } = context
  const region = 'eu-west-1'
  comeUp(context, 'a', region, { candidate: 'server-reflexive' })
  comeUp(context, 'b', region, { candidate: 'host', byOpenPort: true })
  comeUp(context, 'c', region, { candidate: 'relayed' })
  events.emit({ type: 'exit.launching', session: 'd', region })
  assert.equal(model.exits.map(pathKind), ['direct', 'mapped', 'relayed', undefined])
  events.emit({ type: 'exit.moved', session: 'c', candidate: 'peer-reflexive' })
  assert.is(pathKind(model.exits[2]!), 'direct')
})

test.run()
