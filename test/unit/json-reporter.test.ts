import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ProxyEvent } from '../../cli/client/stats/events.ts'
import { jsonReporter } from '../../cli/output/json-reporter.ts'
import { launchFailed, output } from '../support/terminal.ts'

const test = suite('what --json writes')

/** What --json writes for these events. */
function lines(verbose: boolean, ...events: ProxyEvent[]): Record<string, unknown>[] {
  const { stream, take } = output(false)
  const show = jsonReporter({ verbose }, stream)
  for (const event of events) show.event(event)
  show.close()
  return take()
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line))
}

const opened: ProxyEvent = {
  type: 'connection.opened',
  connection: 1,
  outbound: 'tunnel',
  session: 'a',
  target: 'secret.example:443',
  ms: 5,
  counts: { up: 0, down: 0 },
}

test('with --json an event is a line with its time; where it goes is told with --verbose only', () => {
  const [quiet] = lines(false, opened)
  assert.ok(Math.abs(Date.parse(String(quiet!.time)) - Date.now()) < 60_000)
  const { time: _, ...rest } = quiet!
  assert.equal(rest, { type: 'connection.opened', connection: 1, outbound: 'tunnel', session: 'a', ms: 5 })
  assert.is(lines(true, opened)[0]!.target, 'secret.example:443')
})

test('with --json who asked hears no more before the event of its connection is out', async () => {
  const { stream, take } = output(false)
  const show = jsonReporter({ verbose: false }, stream)
  const answer = async () => show.event(opened)
  await answer()
  assert.match(take(), 'connection.opened')
})

test('with --json a sample is told only when something moved', () => {
  const paths = [{ session: 'a', rttMs: 1, sent: 1, lost: 0 }]
  assert.is(lines(false, { type: 'traffic.sampled', connections: [], paths }).length, 0)
  const connections = [{ connection: 1, bytesUp: 2, bytesDown: 3 }]
  assert.equal(lines(false, { type: 'traffic.sampled', connections, paths })[0]!.connections, connections)
})

test('a reader of --json that stands still is told later how much it has missed', () => {
  const written: string[] = []
  const taken: (() => void)[] = []
  const stuck = {
    write(text: string, done?: () => void) {
      written.push(text)
      if (done) taken.push(done)
      return false
    },
  }
  const show = jsonReporter({ verbose: false }, stuck as unknown as NodeJS.WriteStream)
  const events = 200_000
  for (let i = 0; i < events; i++) show.event(opened)
  show.close()
  const linesOf = (texts: string[]) => texts.join('').split('\n').filter(Boolean)
  const held = linesOf(written).length
  assert.ok(written.join('').length < 10_000_000)
  assert.ok(held < events)
  for (const done of taken.splice(0)) done()
  show.event(opened)
  show.close()
  assert.equal(
    linesOf(written)
      .slice(held)
      .map(line => [JSON.parse(line).type, JSON.parse(line).events]),
    [
      ['events.lost', events - held],
      ['connection.opened', undefined],
    ],
  )
})

test('of a connection that failed it is told where it was to go with --verbose only', () => {
  const failed: ProxyEvent = {
    type: 'connection.failed',
    connection: 1,
    outbound: 'tunnel',
    target: 'secret.example:443',
    code: 'E_EXIT_TIMEOUT',
    message: 'no exit came up',
  }
  const { time: _, ...quiet } = lines(false, failed)[0]!
  assert.equal(quiet, {
    type: 'connection.failed',
    connection: 1,
    outbound: 'tunnel',
    code: 'E_EXIT_TIMEOUT',
    message: 'no exit came up',
  })
  assert.is(lines(true, failed)[0]!.target, 'secret.example:443')
})

test('with --json an error has what to do about it in terms of our own commands', () => {
  const [line] = lines(false, { ...launchFailed, hint: "Check the bucket's name." })
  assert.is(line!.code, 'E_BUCKET_NOT_FOUND')
  assert.match(String(line!.hint), '--bucket')
})

test.run()
