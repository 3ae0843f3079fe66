import { randomBytes } from 'node:crypto'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { quiche } from '../../tunnel/quic/engines/quiche/binding.ts'
import { quicheConfig } from '../../tunnel/quic/engines/quiche/config.ts'
import { quicheEngine } from '../../tunnel/quic/engines/quiche/engine.ts'
import { createIdentity } from '../../tunnel/quic/identity.ts'
import { tunings } from '../../tunnel/quic/tuning.ts'
import { content, sha256 } from '../lab/content.ts'
import { needNativeEngine } from '../support/engines.ts'
import { nextStream, quicPair, readAll, writeAll } from '../support/quic-pair.ts'

const test = suite('a forged first packet')

/** A stranger's Initial: a whole ClientHello, with a certificate that would be refused. */
async function strangersInitial(alpn?: string): Promise<Uint8Array> {
  const config = quicheConfig(await createIdentity(), tunings.client)
  if (alpn) config.setApplicationProtos([alpn])
  const host = { host: '127.0.0.1', port: 1 }
  const connection = quiche.Connection.connect(null, randomBytes(8), host, host, config)
  const packet = new Uint8Array(1350)
  return packet.subarray(0, connection.send(packet)![0])
}

const flipped = (packet: Uint8Array) => packet.map((byte, i) => (i < 40 ? byte : byte ^ 0xff))

const native = await needNativeEngine()

for (const engine of native ? [quicheEngine, native] : [quicheEngine])
  for (const [name, forge] of [
    ['that nobody can read', async () => flipped(await strangersInitial())],
    ['that begins a handshake and leaves it', () => strangersInitial()],
    ['that begins a handshake which fails', () => strangersInitial('another')],
  ] as const)
    for (const count of [1, 20])
      test(`${name} does not end a launch (${count} of them, ${engine.name})`, async () => {
        const early = await Promise.all(Array.from({ length: count }, forge))
        const pair = await quicPair({ early, engines: [engine, quicheEngine] })
        const far = nextStream(pair.exit)
        await writeAll(pair.client.connection.open(), content(50_000))
        assert.is((await readAll(await far)).hash, sha256(content(50_000)))
        pair.close()
      })

test.run()
