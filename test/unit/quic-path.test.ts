import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { enginePairs } from '../support/engines.ts'
import { nextStream, type PairOptions, quicPair, readAll, writeAll } from '../support/quic-pair.ts'
import { until } from '../support/until.ts'

const test = suite('what is known of the path')

/** What the exit knows once it has sent a megabyte and all of it has come. */
async function known(options: PairOptions, enough: (mtu: number) => boolean = () => true) {
  const pair = await quicPair(options)
  const { client, exit } = pair
  try {
    const opened = nextStream(client)
    const stream = exit.connection.open()
    await Promise.all([writeAll(stream, new Uint8Array(1_000_000)), opened.then(readAll)])
    const look = () => exit.connection.stats().path
    await until(() => enough(look()?.mtu ?? 0), 'a size that gets through')
    return look()
  } finally {
    pair.close()
  }
}

for (const { name, engines } of await enginePairs()) {
  const [client, exit] = engines
  if (exit.name === 'quiche')
    test(`quiche tells nothing of it, ${name}`, async () => {
      assert.is(await known({ engines }), undefined)
    })
  else if (client.name === 'native') {
    test('loopback takes Ethernet’s packets and the marks of ECN', async () => {
      const { mtu, ecn, blackHoles } = (await known({ engines }, mtu => mtu === 1_472))!
      assert.equal({ mtu, ecn, blackHoles }, { mtu: 1_472, ecn: true, blackHoles: 0 })
    })
    test('a path that loses the marks is found out', async () => {
      // What stands between the ends reads each datagram and sends another.
      assert.is((await known({ engines, withPath: true }))?.ecn, false)
    })
  } else
    test('a peer that counts no marks is found out', async () => {
      assert.is((await known({ engines }))?.ecn, false)
    })
}

test.run()
