import { createSocket } from 'node:dgram'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { closeCodes } from '../../tunnel/quic/close-codes.ts'
import { QuicError } from '../../tunnel/quic/close-reason.ts'
import { QuicConnection } from '../../tunnel/quic/connection.ts'
import { createIdentity } from '../../tunnel/quic/identity.ts'
import type { QuicStream } from '../../tunnel/quic/stream.ts'
import { content, sha256 } from '../lab/content.ts'
import { enginePairs } from '../support/engines.ts'
import {
  exchange,
  linkBoth,
  nextStream,
  type QuicPair,
  quicPair,
  readAll,
  writeAll,
} from '../support/quic-pair.ts'
import { seeded } from '../support/random.ts'
import { until } from '../support/until.ts'

const aborted = (stream: QuicStream) =>
  new Promise<void>(resolve => {
    stream.attach({ data() {}, end() {}, drain() {}, close: broken => broken && resolve() })
  })

for (const { name, engines } of await enginePairs()) {
  const test = suite<{ pair: QuicPair }>(`QUIC connection, ${name}`)

  test.before.each(async context => {
    context.pair = await quicPair({ engines })
  })
  test.after.each(({ pair }) => pair.close())

  test('50 MB go each way at once on one stream, and arrive as they were', async ({
    pair: { client, exit },
  }) => {
    const bytes = content(50_000_000)
    const expected = { length: bytes.length, hash: sha256(bytes) }
    const far = nextStream(exit)
    const near = client.connection.open()
    const received = exchange(near, bytes)
    assert.equal(await exchange(await far, bytes), expected)
    assert.equal(await received, expected)
  })

  test('an end in one direction leaves the other open', async ({ pair: { client, exit } }) => {
    const far = nextStream(exit)
    const near = client.connection.open()
    await writeAll(near, Buffer.from('question'))
    const stream = await far
    assert.is((await readAll(stream)).length, 8)
    const answer = readAll(near)
    await writeAll(stream, content(1_000_000))
    assert.is((await answer).length, 1_000_000)
  })

  test('an abort of either end is told to the other', async ({ pair: { client, exit } }) => {
    for (const breaks of ['opener', 'acceptor'] as const) {
      const far = nextStream(exit)
      const near = client.connection.open()
      near.write(Buffer.from('x'))
      const stream = await far
      const [broken, other] = breaks === 'opener' ? [near, stream] : [stream, near]
      const told = aborted(other)
      broken.abort()
      await told
      assert.ok(other.aborted)
    }
    await until(
      () => client.connection.streams === 0 && exit.connection.streams === 0,
      'streams to be forgotten',
    )
  })

  test('5,000 streams are opened and aborted, and the credit for them comes back', async ({
    pair: { client, exit },
  }) => {
    exit.connection.onStream = stream => {
      stream.attach({ data() {}, end() {}, drain() {}, close() {} })
    }
    for (let opened = 0; opened < 5_000; ) {
      try {
        const stream = client.connection.open()
        stream.write(Buffer.from('x'))
        opened++
        if (opened % 2 === 0) stream.end()
        stream.abort()
      } catch (error) {
        assert.instance(error, QuicError)
        // Out of credit: it returns as the other end learns of the aborts.
        await new Promise(resolve => setTimeout(resolve, 5))
      }
    }
    // The last of the aborted ones may still arrive: this one says which it is.
    const near = client.connection.open()
    const arrived = new Promise<QuicStream>(resolve => {
      const { onStream } = exit.connection
      exit.connection.onStream = stream => (stream.id === near.id ? resolve(stream) : onStream(stream))
    })
    await writeAll(near, content(50_000))
    const stream = await arrived
    assert.is((await readAll(stream)).hash, sha256(content(50_000)))
    stream.abort()
    near.abort()
    await until(
      () => client.connection.streams === 0 && exit.connection.streams === 0,
      'streams to be forgotten',
    )
  })

  test('a reader that does not read stops the writer at the window, and all arrives when it reads', async ({
    pair: { client, exit },
  }) => {
    const far = nextStream(exit)
    const near = client.connection.open()
    const bytes = content(40_000_000)
    let done = false
    const written = writeAll(near, bytes).then(() => {
      done = true
    })
    const stream = await far
    // Another stream makes its way past the one that is stuck.
    for (let i = 0; i < 20; i++) {
      const next = nextStream(exit)
      await writeAll(client.connection.open(), content(50_000))
      await readAll(await next)
    }
    assert.not(done)
    assert.is((await readAll(stream)).hash, sha256(bytes))
    await written
  })

  test('a wrong pin at either end is refused before any stream is touched', async () => {
    const strange = (await createIdentity()).fingerprint
    for (const [pins, refusing, refused] of [
      [{ clientPin: strange }, 'client', 'exit'],
      [{ exitPin: strange }, 'exit', 'client'],
    ] as const) {
      const ends = await linkBoth({ ...pins, engines })
      const outcome = ends[refusing]
      assert.is(outcome.status, 'rejected')
      if (outcome.status !== 'rejected') continue
      assert.is(outcome.reason.code, 'E_QUIC_WRONG_PIN')
      assert.match(outcome.reason.message, 'it is not who wrote the offer or answer')
      const other = ends[refused]
      // The dialling end may have been satisfied first; then it learns right after.
      const reason = other.status === 'rejected' ? other.reason : await other.value.closed
      assert.ok(['E_QUIC_WRONG_PIN', 'E_QUIC_HANDSHAKE_TIMEOUT'].includes(reason.code), reason.message)
      for (const socket of ends.sockets) socket.close()
    }
  })

  test('a connection that is closed tells the other end why, and breaks its streams', async ({
    pair: { client, exit },
  }) => {
    const far = nextStream(exit)
    const near = client.connection.open()
    near.write(Buffer.from('x'))
    const stream = await far
    const told = [aborted(near), aborted(stream)]
    client.connection.close(closeCodes.bye, 'the client ends')
    await Promise.all(told)
    assert.equal(await client.connection.closed, {
      code: 'E_QUIC_CLOSED',
      message: 'the client ends',
      closeCode: closeCodes.bye,
    })
    assert.equal(await exit.connection.closed, {
      code: 'E_QUIC_CLOSED_BY_PEER',
      message: 'the client ends',
      closeCode: closeCodes.bye,
    })
    assert.throws(() => client.connection.open(), /not open/)
  })

  test('a peer that falls silent is noticed, and so is its return', async () => {
    const pair = await quicPair({ engines, withPath: true })
    const { connection } = pair.client
    const silence: boolean[] = []
    connection.onSilence = silent => silence.push(silent)
    pair.path!.passes = () => false
    await until(() => connection.silent, 'the silence to be noticed')
    pair.path!.passes = () => true
    await until(() => !connection.silent, 'the return to be noticed')
    assert.equal(silence, [true, false])
    pair.close()
  })

  test('QUIC datagrams arrive; one that is too large is not sent', async ({ pair: { client, exit } }) => {
    const got: string[] = []
    exit.connection.onDatagram = datagram => got.push(Buffer.from(datagram).toString())
    const most = client.connection.maxDatagram()
    assert.ok(most > 1_000)
    assert.ok(client.connection.sendDatagram(Buffer.from('hello')))
    assert.ok(client.connection.sendDatagram(Buffer.alloc(most, 'x')))
    assert.not(client.connection.sendDatagram(Buffer.alloc(most + 1)))
    await until(() => got.length === 2, 'two datagrams')
    assert.equal(got, ['hello', 'x'.repeat(most)])
  })

  test('noise from the peer and packets from a stranger do no harm', async () => {
    const pair = await quicPair({ engines, withPath: true })
    const { client, exit, path } = pair
    const random = seeded(9)
    const stranger = createSocket('udp4')
    for (let i = 0; i < 5_000; i++) {
      const noise = random.bytes(random.int(200))
      if (noise.length > 0 && i % 2) noise[0]! |= 0x40
      path!.inject(noise, i % 3 ? 'client' : 'exit')
      stranger.send(noise, exit.socket.local.port, exit.socket.local.address)
      if (i % 100 === 0) await new Promise(resolve => setImmediate(resolve))
    }
    const far = nextStream(exit)
    const near = client.connection.open()
    await writeAll(near, content(50_000))
    assert.is((await readAll(await far)).hash, sha256(content(50_000)))
    await new Promise<void>(resolve => stranger.close(() => resolve()))
    pair.close()
  })

  test('a handshake with nobody ends at its limit', async () => {
    const [engine] = engines
    const socket = await engine.openSocket({ address: '127.0.0.1' })
    const deaf = createSocket('udp4')
    await new Promise<void>(resolve => deaf.bind(0, '127.0.0.1', resolve))
    const peer = { address: '127.0.0.1', port: deaf.address().port }
    const identity = await createIdentity()
    const connecting = QuicConnection.connect({
      engine,
      socket,
      peer,
      identity,
      pin: identity.fingerprint,
      role: 'client',
      handshakeMs: 200,
    })
    const error = await connecting.catch((error: unknown) => error)
    assert.instance(error, QuicError)
    assert.is((error as QuicError).code, 'E_QUIC_HANDSHAKE_TIMEOUT')
    socket.close()
    deaf.close()
  })

  test.run()
}
