import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Engine } from '../../tunnel/quic/engine.ts'
import { enginePairs } from '../support/engines.ts'
import { nextStream, openControl, type QuicPair, quicPair, readAll, writeAll } from '../support/quic-pair.ts'

// Two of the same engine: native/engine/tests/loss.rs holds it for the native one, on a clock of its own.

const question = new Uint8Array(6_000).fill(1)
const answer = new Uint8Array(20_000).fill(2)
/** Sessions at once: most of their time they wait for a timer. */
const atOnce = 8

const test = suite('the loss of any one packet of a session, each in turn, loses nothing')

/** A handshake and a stream that is asked and answered; gives the packets it took, one of which is lost. */
async function session(engines: readonly [client: Engine, exit: Engine], lost: number): Promise<number> {
  let sent = 0
  const pair = await quicPair({ engines, withPath: true, passes: () => sent++ !== lost })
  try {
    await ask(pair)
    return sent
  } finally {
    pair.close()
  }
}

/** The control stream is there as in a session: by it the ends learn of an end that quiche has forgotten to send. */
async function ask(pair: QuicPair): Promise<void> {
  const { client, exit } = pair
  await openControl(pair)
  const arriving = nextStream(exit)
  const near = client.connection.open()
  const asked = writeAll(near, question)
  const far = await arriving
  const heard = await readAll(far)
  await Promise.all([asked, writeAll(far, answer)])
  assert.is(heard.length, question.length)
  assert.is((await readAll(near)).length, answer.length)
}

for (const { name, engines } of await enginePairs())
  if (engines[0].name !== engines[1].name)
    test(name, async () => {
      const whole = await session(engines, -1)
      assert.ok(whole > 20, `${whole} packets`)
      const numbers = Array.from({ length: whole }, (_, number) => number)
      await Promise.all(
        Array.from({ length: atOnce }, async () => {
          for (let number = numbers.pop(); number !== undefined; number = numbers.pop())
            await session(engines, number)
        }),
      )
    })

test.run()
