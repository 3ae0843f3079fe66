import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { startLocalCloud } from '../support/local-cloud.ts'
import { until } from '../support/until.ts'

const test = suite('Throttling')

const budget = 200
const minuteMs = 60_000

test('200 launches that AWS refuses stay within the budget, and the reason is shown once', async () => {
  const local = await startLocalCloud()
  try {
    local.s3.mode = 'throttle'
    const args = ['--sessions', '64', '--launches-per-minute', String(budget)]
    const proxy = await local.launch({ args })
    const launched = () => proxy.told('exit.launching')
    const failed = () => proxy.told('exit.failed')
    // A slow machine may be in its second minute by then.
    await until(() => failed().length >= budget, `${budget} failures`, 55_000)
    await proxy.event('fleet.throttled')
    const times = launched().map(({ time }) => Date.parse(time))
    for (const time of times) {
      const within = times.filter(other => other >= time && other < time + minuteMs).length
      assert.ok(within <= budget, `${within} launches in a minute`)
    }
    const throttled = failed().filter(({ message }) => message.includes('AWS is throttling requests'))
    assert.ok(throttled.length > budget / 2)
    assert.is(throttled.filter(({ repeated }) => !repeated).length, 1)
    assert.is(local.log.filter(({ message }) => message === 'answered').length, 0)
    const minutes = Math.ceil((times.at(-1)! - times[0]! + 1) / minuteMs)
    assert.ok(proxy.told('fleet.throttled').length <= minutes, 'the budget is told once a minute at most')
    console.log(
      `figure: throttled launches ${times.length} in ${((times.at(-1)! - times[0]!) / 1_000).toFixed(1)} s, ${local.s3.refused} requests refused, reason shown once, budget told ${proxy.told('fleet.throttled').length} time`,
    )
    assert.is(await proxy.stop('SIGINT'), 0)
  } finally {
    await local.close()
  }
})

test.run()
