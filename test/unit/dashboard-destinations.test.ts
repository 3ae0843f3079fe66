import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { comeUp, end, type ModelContext, newModel, open } from '../support/model-story.ts'

const test = suite<ModelContext>('destinations that the dashboard knows')

test.before.each(newModel)

test('addresses and names without a registered domain stand for themselves', context => {
  comeUp(context, 'a')
  const targets = ['[2001:db8::1]:443', '203.0.113.9:443', 'localhost:80', 'a.b.github.io:443']
  for (const [i, target] of targets.entries()) open(context, i, 'a', target)
  const domains = context.model.state().destinations.map(({ domain }) => domain)
  assert.equal(domains.sort(), ['2001:db8::1', '203.0.113.9', 'b.github.io', 'localhost'])
})

test('destinations without end are added up, and nothing is lost of them', context => {
  comeUp(context, 'a')
  for (let i = 1; i <= 5_000; i++) {
    open(context, i, 'a', `site${i}.com:443`)
    end(context, i, 'a', 1, i)
  }
  const { destinations, destinationCount, totals } = context.model.state()
  assert.ok(destinationCount <= 2_001)
  assert.is(destinations.length, 50)
  assert.is(totals.bytesDown, (5_000 * 5_001) / 2)
})

test('while all destinations are in use they are not sorted again for each new one', context => {
  comeUp(context, 'a')
  const started = performance.now()
  for (let i = 1; i <= 20_000; i++) open(context, i, 'a', `site${i}.com:443`)
  const { destinationCount, totals } = context.model.state()
  assert.is(totals.active, 20_000)
  assert.is(destinationCount, 20_001)
  for (let i = 1; i <= 20_000; i++) end(context, i, 'a', 1, 1)
  for (let i = 1; i <= 5_000; i++) open(context, 20_000 + i, 'a', `other${i}.com:443`)
  assert.ok(context.model.state().destinationCount < 10_000)
  console.log(`figure: 45,000 changes of destinations in ${Math.round(performance.now() - started)} ms`)
})

test.run()
