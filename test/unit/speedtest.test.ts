import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compare } from '../../cli/client/speedtest/compare.ts'
import {
  measureDownload,
  measureLatency,
  measureUpload,
  percentile,
  SpeedtestError,
} from '../../cli/client/speedtest/measure.ts'
import { inWords } from '../../cli/output/advice.ts'
import { closeAfterWrite } from '../../tunnel/net/close-after-write.ts'
import type { QuicStream } from '../../tunnel/quic/stream.ts'
import { encodeReply, reply } from '../../tunnel/session/frames/reply.ts'
import { decodeRequest } from '../../tunnel/session/frames/request.ts'
import { type NearExit, nearExit } from '../support/near-exit.ts'
import { type QuicPair, quicPair } from '../support/quic-pair.ts'

const test = suite<{ exit: NearExit }>('speedtest')
const signal = new AbortController().signal
const seconds = 0.2

test.before.each(async context => {
  context.exit = await nearExit()
})
test.after.each(({ exit }) => exit.close())

const connectionOf = async (exit: NearExit) => (await exit.select({ host: 'x' }, 1)).connection

test('round trips are counted, and their middle lies below their slow end', async ({ exit }) => {
  const latency = await measureLatency(await connectionOf(exit), { times: 30, seconds: 10, signal })
  assert.is(latency.samples, 30)
  assert.ok(latency.medianMs > 0 && latency.medianMs <= latency.p95Ms)
  // Time is up before a million are done: what there is counts.
  const cut = await measureLatency(await connectionOf(exit), { times: 1e6, seconds, signal })
  assert.ok(cut.samples > 0 && cut.samples < 1e6)
})

test('a download and an upload say how much went in which time, and tell on the way', async ({ exit }) => {
  const connection = await connectionOf(exit)
  for (const measure of [measureDownload, measureUpload]) {
    const told: number[] = []
    const { bytes, ms, bitsPerSecond } = await measure(connection, {
      seconds,
      signal,
      onProgress: bytes => told.push(bytes),
    })
    assert.ok(bytes > 100_000, `${bytes} bytes`)
    assert.ok(ms >= seconds * 1000 * 0.9)
    assert.ok(Math.abs(bitsPerSecond - (bytes * 8_000) / ms) < 1)
    assert.ok(told.length > 0 && told.every(each => each <= bytes))
  }
})

test('nothing is left open behind a measurement', async ({ exit }) => {
  const connection = await connectionOf(exit)
  await measureLatency(connection, { times: 3, seconds: 10, signal })
  await measureDownload(connection, { seconds, signal })
  await measureUpload(connection, { seconds, signal })
  assert.is(exit.streams(), 0)
})

/** An exit of the test's own: what it does with the one stream that is opened. */
async function withExit<T>(
  serve: (stream: QuicStream) => void,
  story: (pair: QuicPair) => Promise<T>,
): Promise<T> {
  const pair = await quicPair()
  pair.exit.connection.onStream = serve
  try {
    return await story(pair)
  } finally {
    pair.close()
  }
}

/** Owns a stream whose request comes in one chunk, and which is measured after it. */
const serveRequest = (
  stream: QuicStream,
  onRequest: (command: string) => void,
  onData: (bytes: number) => void,
) => {
  let asked = false
  stream.attach({
    data(chunk) {
      if (asked) return onData(chunk.length)
      asked = true
      onRequest(decodeRequest(chunk).command)
    },
    end: () => stream.end(),
    drain() {},
    close() {},
  })
}

const message = async (promise: Promise<unknown>) =>
  promise.then(
    () => assert.unreachable('it succeeded'),
    (error: Error) => error.message,
  )

test('an upload counts what arrived, to the byte', async () => {
  let arrived = 0
  const take = (stream: QuicStream) => {
    const answer = (command: string) => {
      assert.is(command, 'discard')
      stream.write(encodeReply({ code: reply.succeeded, bound: { host: '0.0.0.0', port: 0 } }))
    }
    serveRequest(stream, answer, bytes => {
      arrived += bytes
    })
  }
  await withExit(take, async ({ client }) => {
    const { bytes } = await measureUpload(client.connection, { seconds, signal })
    assert.is(bytes, arrived)
  })
})

test('an exit that does not serve measurements is one to deploy anew', async () => {
  const refuse = (stream: QuicStream) =>
    closeAfterWrite(
      stream,
      encodeReply({ code: reply.commandNotSupported, bound: { host: '0.0.0.0', port: 0 } }),
    )
  await withExit(refuse, async ({ client }) => {
    const error = await measureDownload(client.connection, { seconds, signal }).catch(error => error)
    assert.instance(error, SpeedtestError)
    assert.match(inWords(error).join(), /reply 7.*lambda-nat-proxy deploy/)
  })
})

test('an exit that is lost ends a measurement, and so does who calls it off', async ({ exit }) => {
  const connection = await connectionOf(exit)
  for (const measure of [measureDownload, measureUpload]) {
    const stop = new AbortController()
    const measuring = measure(connection, {
      seconds: 60,
      signal: stop.signal,
      onProgress: () => stop.abort(new Error('interrupted')),
    })
    assert.is(await message(measuring), 'interrupted')
  }
  const before = AbortSignal.abort(new Error('interrupted before'))
  for (const measure of [measureDownload, measureUpload])
    assert.is(await message(measure(connection, { seconds: 60, signal: before })), 'interrupted before')
  const lost = measureDownload(connection, { seconds: 60, signal, onProgress: () => exit.close() })
  assert.match((await message(lost)) as string, 'exit was lost')
})

test('a URL is fetched directly and through the exit, cut off when time is up', async ({ exit }) => {
  const endless = () =>
    new ReadableStream({ pull: controller => controller.enqueue(new Uint8Array(16 * 1024)) })
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: ({ url }) => new Response(url.endsWith('/endless') ? endless() : 'x'.repeat(100_000)),
  })
  const session = await exit.select({ host: 'x' }, 1)
  const before = process.env.HTTP_PROXY
  // Direct is direct, whatever the shell says.
  process.env.HTTP_PROXY = 'http://127.0.0.1:1'
  try {
    const base = `http://127.0.0.1:${server.port}`
    let carried = 0
    const onTunnelBytes = (bytes: number) => {
      carried = bytes
    }
    const whole = await compare(session, `${base}/whole`, { seconds: 20, signal, onTunnelBytes })
    assert.is(carried, 100_000)
    assert.is(process.env.HTTP_PROXY, 'http://127.0.0.1:1', 'the variable is there again')
    for (const fetched of [whole.direct, whole.tunnel]) {
      assert.not.ok('error' in fetched)
      if ('error' in fetched) continue
      assert.equal([fetched.status, fetched.bytes, fetched.complete], [200, 100_000, true])
    }
    const cut = await compare(session, `${base}/endless`, { seconds, signal })
    for (const fetched of [cut.direct, cut.tunnel])
      assert.ok(!('error' in fetched) && !fetched.complete && fetched.bytes > 0)
    const nowhere = await compare(session, 'http://127.0.0.1:1/', { seconds, signal })
    assert.ok('error' in nowhere.direct)
    exit.close()
    const alone = await compare(session, `${base}/whole`, { seconds, signal })
    assert.is('status' in alone.direct && alone.direct.status, 200)
    assert.is.not('status' in alone.tunnel && alone.tunnel.status, 200)
  } finally {
    if (before === undefined) delete process.env.HTTP_PROXY
    else process.env.HTTP_PROXY = before
    await server.stop(true)
  }
})

test('the proxy that a URL is fetched by serves nobody else', async ({ exit }) => {
  const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response('x') })
  const session = await exit.select({ host: 'x' }, 1)
  const own = globalThis.fetch
  const proxies: string[] = []
  const strangers: number[] = []
  const url = `http://127.0.0.1:${server.port}/`
  // Asks by the same proxy just before it is used.
  const spy = async (...[input, init]: Parameters<typeof fetch>) => {
    const proxy = (init as { proxy?: string } | undefined)?.proxy
    if (proxy !== undefined) {
      proxies.push(proxy)
      const { port } = new URL(proxy)
      strangers.push((await own(url, { proxy: `http://127.0.0.1:${port}` })).status)
    }
    return own(input, init)
  }
  globalThis.fetch = Object.assign(spy, own)
  try {
    for (let i = 0; i < 2; i++) {
      const { tunnel } = await compare(session, url, { seconds: 20, signal })
      assert.is('status' in tunnel && tunnel.status, 200)
    }
    assert.equal(strangers, [407, 407])
    const [first, second] = proxies.map(proxy => new URL(proxy).password)
    assert.is.not(first, second)
  } finally {
    globalThis.fetch = own
    await server.stop(true)
  }
})

test('a percentile is the value that so many do not exceed', () => {
  const values = [5, 1, 4, 2, 3]
  assert.is(percentile(values, 0.5), 3)
  assert.is(percentile(values, 0.95), 5)
  assert.is(percentile([7], 0.5), 7)
  assert.equal(values, [5, 1, 4, 2, 3])
})

test.run()
