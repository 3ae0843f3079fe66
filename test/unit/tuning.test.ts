import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { functionTuning, streamWindowFor, tunings } from '../../tunnel/quic/tuning.ts'

const MiB = 1024 * 1024
const test = suite('the windows of an engine whose windows do not grow')

test('follow the path: whole from 25 ms on, a quarter on a short one, half on one that is not known', () => {
  const { fixed } = tunings.server
  const windows = [undefined, 0.1, 6.25, 12.5, 20, 25, 600].map(rttMs => streamWindowFor(fixed, rttMs) / MiB)
  assert.equal(windows, [8, 4, 4, 8, 12.8125, 16, 16])
})

test('leave room for readers that have stopped, in whatever memory', () => {
  for (const tuning of [tunings.server, ...[128, 256, 512, 3_008].map(functionTuning)])
    assert.ok(tuning.fixed.connection / streamWindowFor(tuning.fixed, 100) >= 9)
})

test.run()
