import type { uvu } from 'uvu'
import * as assert from 'uvu/assert'
import { encodeTarget } from '../../tunnel/session/frames/address.ts'
import { connectRaw, listenRaw, type RawEnd, type RawListener } from './raw-end.ts'
import { until } from './until.ts'

// How connections end, told by both sides: the same through the tunnel and straight, by SOCKS and by CONNECT.

export interface EndContext {
  /** The proxy's port; what goes to `localhost` goes straight, the rest through the tunnel. */
  port: number
}

/** Opens a connection through the proxy: what comes from here on is the target's. */
type Way = (proxy: number, target: number) => Promise<RawEnd>

const greeting = Buffer.of(5, 1, 0)

const socks =
  (host: string): Way =>
  async (proxy, port) => {
    const client = await connectRaw(proxy)
    client.write(Buffer.concat([greeting, Buffer.of(5, 1, 0), encodeTarget({ host, port })]))
    // The method, and a reply with an IPv4 or IPv6 address.
    await until(() => client.length === 12 || client.length === 24, 'the reply')
    return fresh(client)
  }

const httpConnect =
  (host: string): Way =>
  async (proxy, port) => {
    const client = await connectRaw(proxy)
    client.write(`CONNECT ${host}:${port} HTTP/1.1\r\nHost: ${host}:${port}\r\n\r\n`)
    await until(() => client.text.endsWith('\r\n\r\n'), 'the response')
    assert.match(client.text, /^HTTP\/1\.1 200 /)
    return fresh(client)
  }

export const ways: Record<string, Way> = {
  'SOCKS, tunnel': socks('127.0.0.1'),
  'SOCKS, direct': socks('localhost'),
  'CONNECT, tunnel': httpConnect('127.0.0.1'),
  'CONNECT, direct': httpConnect('localhost'),
}

function fresh(client: RawEnd): RawEnd {
  client.length = 0
  client.text = ''
  return client
}

interface Story {
  title: string
  onOpen?: (target: RawEnd) => void
  onData?: (target: RawEnd) => void
  tell(client: RawEnd, target: () => RawEnd): Promise<void>
}

const answer = Buffer.alloc(20_000, 'x')
const large = Buffer.alloc(300_000, 'y')
const endless = Buffer.alloc(64_000_000, 'z')
const reset = (end: RawEnd) => until(() => end.closed === 'reset', 'the reset')

const stories: Story[] = [
  {
    title: 'an answer that is followed by a reset, with input unread, arrives whole, and then the reset',
    onData(target) {
      target.pause()
      target.write(answer)
      target.reset()
    },
    async tell(client) {
      client.write(Buffer.alloc(50_000))
      await reset(client)
      assert.is(client.length, answer.length)
      assert.not(client.ended)
    },
  },
  {
    title: 'an answer followed by a reset arrives whole where the client is slow to read',
    onData(target) {
      target.write(large)
      target.reset()
    },
    async tell(client, target) {
      client.pause()
      client.write('go')
      await until(() => target()?.closed !== undefined, 'the reset of the target')
      client.resume()
      await reset(client)
      assert.is(client.length, large.length)
    },
  },
  {
    title: 'an answer that breaks off while nobody can take more of it does not look whole',
    onData: target => target.write(endless),
    async tell(client, target) {
      client.pause()
      client.write('go')
      // All is full when nothing has moved for a while; when it still moves, the story is another one, and ends as well.
      let before = endless.length
      let same = 0
      await until(() => {
        const unsent = target()?.unsent ?? endless.length
        same = unsent === before ? same + 1 : 0
        before = unsent
        return unsent < endless.length && same > 40
      }, 'the target to stand still')
      target().cut()
      client.resume()
      await reset(client)
      assert.not(client.ended)
      assert.ok(client.length > 0 && client.length < endless.length)
    },
  },
  {
    title: 'an answer that breaks off does not look whole to a client that has ended',
    onData: target => target.write(answer),
    async tell(client, target) {
      client.write('go')
      client.end()
      await until(() => client.length === answer.length && target().ended, 'the answer')
      target().reset()
      await reset(client)
      assert.not(client.ended)
    },
  },
  {
    title: "after the target's end, its break is told to a client that goes on writing",
    onData(target) {
      target.write('bye')
      target.end()
    },
    async tell(client, target) {
      client.write('hi')
      await until(() => client.ended, "the target's end")
      assert.is(client.text, 'bye')
      target().reset()
      const writing = setInterval(() => client.write('more'), 10)
      await reset(client).finally(() => clearInterval(writing))
    },
  },
  {
    title: 'what a client says before a reset arrives, and then the reset',
    async tell(client, target) {
      client.write(answer)
      client.reset()
      await until(() => target()?.closed !== undefined, 'the end')
      assert.equal([target().length, target().closed], [answer.length, 'reset'])
    },
  },
  {
    title: 'a client that leaves in good order leaves the target in good order',
    onData: target => target.write('answer'),
    async tell(client, target) {
      client.write('go')
      await until(() => client.text === 'answer', 'the answer')
      client.end()
      await until(() => target().ended, "the client's end")
      target().end()
      await until(() => target().closed !== undefined && client.closed !== undefined, 'the close')
      assert.equal([client.closed, target().closed], ['in order', 'in order'])
    },
  },
  {
    title: 'a target that leaves in good order leaves the client in good order',
    onData(target) {
      if (target.text !== 'go') return
      target.write(answer)
      target.end()
    },
    async tell(client, target) {
      client.write('go')
      await until(() => client.ended, "the target's end")
      assert.is(client.length, answer.length)
      client.write('thanks')
      client.end()
      await until(() => target().closed !== undefined && client.closed !== undefined, 'the close')
      assert.equal([client.closed, target().closed], ['in order', 'in order'])
      assert.is(target().text, 'gothanks')
    },
  },
]

/** Adds a test a way and story. */
export function tellEndStories(test: uvu.Test<EndContext>): void {
  for (const { title, onOpen, onData, tell } of stories)
    for (const [name, open] of Object.entries(ways))
      test(`${name}: ${title}`, async ({ port }) => {
        const origin: RawListener = listenRaw(onOpen, onData)
        try {
          const client = await open(port, origin.port)
          await tell(client, () => origin.ends[0]!)
        } finally {
          origin.close()
        }
      })
}

/** Adds the test of a kept connection to an origin: it ends with the client, and in good order. */
export function tellKeptStory(test: uvu.Test<EndContext>): void {
  for (const host of ['127.0.0.1', 'localhost'])
    test(`HTTP to ${host}: a connection that was kept ends in good order when the client leaves`, async ({
      port,
    }) => {
      const origin = listenRaw(undefined, end => end.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'))
      try {
        const authority = `${host}:${origin.port}`
        const client = await connectRaw(port)
        client.write(`GET http://${authority}/ HTTP/1.1\r\nHost: ${authority}\r\n\r\n`)
        await until(() => client.text.endsWith('ok'), 'the response')
        client.end()
        await until(() => origin.ends[0]?.ended === true || origin.ends[0]?.closed !== undefined, 'the end')
        origin.ends[0]?.end()
        await until(() => origin.ends[0]?.closed !== undefined, 'the close')
        assert.is(origin.ends[0]?.closed, 'in order')
      } finally {
        origin.close()
      }
    })
}
