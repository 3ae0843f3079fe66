import { createHash, getRandomValues } from 'node:crypto'
import { once } from 'node:events'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checkRequest } from '../../tunnel/nat/stun/message.ts'
import { openBucket, type SignalBucket } from '../../tunnel/signalling/bucket.ts'
import type { Answer, Offer } from '../../tunnel/signalling/documents.ts'
import { content } from '../lab/content.ts'
import { type LocalCloud, startLocalCloud } from '../support/local-cloud.ts'
import type { LocalProxy } from '../support/local-proxy.ts'
import { tcpServer } from '../support/servers.ts'
import { socksConnect } from '../support/socks-client.ts'

interface Context {
  local: LocalCloud
  proxy: LocalProxy
  bucket: SignalBucket
  offer: Offer
  answer: Answer
}

const host = '127.0.0.1'
const test = suite<Context>('Datagrams from a third host')

test.before(async context => {
  const local = await startLocalCloud()
  const proxy = await local.proxy()
  const { endpoint, credentials } = local.cloud
  const bucket = openBucket({ bucket: local.bucket, region: local.region, endpoint, credentials })
  const [ready] = proxy.told('exit.ready')
  const offer = await bucket.getOffer(ready!.session)
  const answer = await bucket.waitForAnswer(ready!.session, 5_000)
  Object.assign(context, { local, proxy, bucket, offer, answer })
})
test.after(async ({ local, bucket }) => {
  bucket.close()
  await local.close()
})

/** A download that goes on until `enough` is called; resolves with whether all came as it was sent. */
async function endlessDownload(proxy: LocalProxy) {
  const sent = createHash('sha256')
  const received = createHash('sha256')
  let going = true
  let bytes = 0
  const chunk = content(64 * 1024)
  const target = await tcpServer(async socket => {
    while (going && !socket.destroyed) {
      sent.update(chunk)
      if (!socket.write(chunk)) await once(socket, 'drain').catch(() => {})
    }
    socket.end()
  })
  const socket = await socksConnect({ proxy: proxy.port, host, port: target.port })
  socket.on('data', data => {
    received.update(data)
    bytes += data.length
  })
  // However it ends, the hashes tell.
  const ended = new Promise(resolve => socket.on('end', resolve).on('close', resolve))
  await once(socket.resume(), 'data')
  return {
    bytes: () => bytes,
    async enough() {
      going = false
      await ended
      socket.end()
      await target.close()
      assert.is(received.digest('hex'), sent.digest('hex'))
    },
  }
}

/** A socket of nobody's. That a port does not take what it sends is told to it, and is no news. */
const openStranger = (onDatagram: (datagram: Uint8Array) => void = () => {}) =>
  Bun.udpSocket({
    hostname: host,
    port: 0,
    binaryType: 'uint8array',
    socket: { data: (_socket, datagram) => onDatagram(datagram as Uint8Array), error() {} },
  })

/** A connected socket's kernel tells strangers that the port is closed, and Bun throws that at the next send. */
function quietly(send: () => unknown): void {
  try {
    send()
  } catch {
    // The datagrams after it are sent all the same.
  }
}

/** Random bytes, a third of them under a header that looks like QUIC's, a third like STUN's. */
function noise(i: number): Uint8Array {
  const datagram = getRandomValues(Buffer.alloc(1 + ((i * 37) % 1_200)))
  if (i % 3 === 0 && datagram.length > 24) {
    datagram[0] = i % 2 ? 0xc3 : 0x41
    datagram.writeUInt32BE(1, 1)
    datagram[5] = 8
  }
  if (i % 3 === 1 && datagram.length > 24) {
    datagram.writeUInt16BE(i % 2 ? 0x0001 : 0x0101)
    datagram.writeUInt16BE(datagram.length - 20, 2)
    datagram.writeUInt32BE(0x2112a442, 4)
  }
  return datagram
}

test('100,000 random datagrams to each end leave a download as it was, and the session alive', async ({
  proxy,
  offer,
  answer,
}) => {
  const download = await endlessDownload(proxy)
  for (const port of [offer.client_port, answer.function_port]) {
    const stranger = await openStranger()
    for (let i = 0; i < 100_000; ) {
      const batch: (Uint8Array | number | string)[] = []
      for (let n = 0; n < 50; n++, i++) batch.push(noise(i), port, host)
      quietly(() => stranger.sendMany(batch))
      await new Promise(resolve => setImmediate(resolve))
    }
    stranger.close()
  }
  const during = download.bytes()
  await download.enough()
  assert.ok(during > 0)
  assert.equal(proxy.told('exit.closed'), [])
})

test('checks under the right password, from a third host, get no answer and change nothing', async ({
  proxy,
  offer,
  answer,
}) => {
  const heard: Uint8Array[] = []
  const stranger = await openStranger(datagram => heard.push(datagram))
  const download = await endlessDownload(proxy)
  // Whoever reads the bucket knows this much. It is also what a replay looks like.
  for (let i = 0; i < 500; i++)
    for (const [to, from, port] of [
      [offer, answer, offer.client_port],
      [answer, offer, answer.function_port],
    ] as const)
      quietly(() =>
        stranger.send(
          checkRequest({
            priority: 1,
            username: `${to.ice_ufrag}:${from.ice_ufrag}`,
            password: to.ice_password,
            controlling: to === answer,
            tieBreaker: Buffer.alloc(8, 0xff),
            nominate: true,
          }).datagram,
          port,
          host,
        ),
      )
  await download.enough()
  assert.is(heard.length, 0)
  assert.equal(proxy.told('exit.closed'), [])
  stranger.close()
})

test('an offer that is delivered again starts no second session, and leaves the first alone', async ({
  local,
  proxy,
  offer,
}) => {
  const download = await endlessDownload(proxy)
  const result = await local.cloud.deliver(local.eventOf(offer.session_id))
  assert.is(result.status, 'success')
  await local.logged('offer is answered already: this delivery is a duplicate')
  await download.enough()
  assert.equal(proxy.told('exit.closed'), [])
})

test.run()
