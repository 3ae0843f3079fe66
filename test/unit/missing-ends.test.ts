import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { MissingEnds } from '../../tunnel/quic/engines/native/missing-ends.ts'

const test = suite('Ends that a peer forgets to send')

/** The ticks, of so many, at which the stream is asked for. */
const asked = (ends: MissingEnds, ticks: number): number[] =>
  Array.from({ length: ticks }, (_, tick) => tick + 1).filter(() => ends.look().length > 0)

test('are asked for at growing intervals, once the peer has our end and something has come', () => {
  const ends = new MissingEnds()
  ends.begin(4)
  assert.equal(asked(ends, 10), [])
  ends.finished(4)
  assert.equal(asked(ends, 10), [], 'a peer that was never heard may not know the stream yet')
  ends.heard(4)
  assert.equal(asked(ends, 600), [4, 8, 16, 32, 64, 128, 256, 512])
  ends.heard(4)
  assert.equal(asked(ends, 4), [4])
})

test('are not asked for once they are found, or the stream is over', () => {
  const ends = new MissingEnds()
  for (const stream of [0, 4]) {
    ends.begin(stream)
    ends.heard(stream)
    ends.finished(stream)
  }
  assert.ok(ends.found(0))
  ends.forget(4)
  assert.equal(asked(ends, 20), [])
  assert.ok(ends.isFound(0))
  assert.not(ends.isFound(4))
  assert.not(ends.found(4), 'nobody waits for that one')
  // What comes late about a stream that is over brings nothing back.
  ends.finished(4)
  ends.heard(4)
  assert.equal(asked(ends, 20), [])
})

test.run()
