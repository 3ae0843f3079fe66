import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type LocalCloud, startLocalCloud } from '../support/local-cloud.ts'
import { need } from '../support/need.ts'

// One side's clock is off, by five minutes unless said otherwise; the other's and S3's are right.

const test = suite<{ local: LocalCloud }>('A clock that is off')

test.after.each(({ local }) => local.close())

/** Debian's library, without its command, which would not pass a signal on. It leaves the steady clock alone. */
function off(offset: string): string[] {
  const [library] = new Bun.Glob('*/faketime/libfaketime.so.1').scanSync({ cwd: '/usr/lib', absolute: true })
  return ['env', `LD_PRELOAD=${library}`, `FAKETIME=${offset}`, 'FAKETIME_DONT_FAKE_MONOTONIC=1']
}

for (const [offset, words] of [
  ['+300', /the client's clock is (29\d|30\d) s ahead/],
  ['-300', /the client's clock is (29\d|30\d) s behind/],
] as const)
  test(`the client's (${offset} s): the function refuses, and the person is told once what to do`, async context => {
    context.local = await startLocalCloud()
    const proxy = await context.local.launch({ command: off(offset) })
    const first = await proxy.event('exit.failed')
    assert.match(first.message, words)
    assert.equal([first.step, first.code], ['answer', 'E_OFFER_CLOCK'])
    assert.match(first.hint!, /Set this machine's clock, for example with NTP/)
    await proxy.event('exit.failed', ({ repeated }) => repeated)
    assert.is(proxy.told('exit.failed').filter(({ repeated }) => !repeated).length, 1)
    console.log(`figure: client's clock ${offset} s: ${first.message}`)
    assert.is(await proxy.stop('SIGINT'), 0)
  })

for (const [offset, words] of [
  ['+300', /the offer is 30\d s old, and 60 s is the limit/],
  ['-300', /the offer is (29\d|300) s in the future: the clocks of client and function differ/],
] as const)
  test(`the function's (${offset} s): it refuses, and says that the clocks differ`, async context => {
    context.local = await startLocalCloud({ command: off(offset) })
    const proxy = await context.local.launch()
    const { message } = await proxy.event('exit.failed')
    assert.match(message, words)
    console.log(`figure: function's clock ${offset} s: ${message}`)
    assert.is(await proxy.stop('SIGINT'), 0)
  })

for (const offset of ['+20', '-20'])
  test(`the function's (${offset} s), which is not too far: its start is told as within the wait for it`, async context => {
    context.local = await startLocalCloud({ command: off(offset) })
    const proxy = await context.local.proxy()
    const { functionStartMs, ms } = await proxy.event('exit.step', ({ step }) => step === 'answer')
    assert.ok(functionStartMs! >= 0 && functionStartMs! <= ms, `${functionStartMs} of ${ms} ms`)
    assert.is(await proxy.stop('SIGINT'), 0)
  })

if (need(['faketime'], ['faketime'])) test.run()
