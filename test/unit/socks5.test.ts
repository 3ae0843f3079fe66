import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Access } from '../../cli/client/accounts/access.ts'
import { SocksServer, socksReply } from '../../cli/client/inbound/socks5/socks5.ts'
import { encodeTarget, type Target } from '../../tunnel/session/frames/address.ts'
import { seeded } from '../support/random.ts'

const test = suite('SOCKS5')

const open: Access = { required: false, admit: async () => ({}) }
const locked: Access = {
  required: true,
  admit: async (user, password) => (user === 'ann' && password === 'secret' ? {} : undefined),
}
const greeting = Buffer.of(5, 1, 0)
const request = (target: Target, command = 1) =>
  Buffer.concat([Buffer.of(5, command, 0), encodeTarget(target)])
const login = (user: string, password: string) =>
  Buffer.concat([
    Buffer.of(1, user.length),
    Buffer.from(user),
    Buffer.of(password.length),
    Buffer.from(password),
  ])
const example: Target = { host: 'example.org', port: 443 }

/** What a client gets that sends these chunks, and what is asked of the proxy. */
async function serve(chunks: Iterable<Uint8Array>, access = open) {
  const written: Uint8Array[] = []
  const asked: { target: Target; user: string | undefined; rest: string }[] = []
  const failed: string[] = []
  let held = false
  const reader = new SocksServer({
    access,
    write: bytes => void written.push(bytes),
    hold: on => {
      held = on
    },
    connect: (target, { user }, rest) =>
      void asked.push({ target, user, rest: Buffer.from(rest).toString() }),
    associate: () => void failed.push('associate'),
    fail: ({ message }) => void failed.push(message),
  })
  for (const chunk of chunks) {
    if (asked.length + failed.length > 0) break
    reader.take(chunk)
    while (held) await Promise.resolve()
  }
  return { written: [...Buffer.concat(written)], asked, failed }
}

const bytewise = (bytes: Buffer) => Array.from(bytes, byte => Buffer.of(byte))

test('a CONNECT is read with every kind of address, as a whole and byte by byte', async () => {
  for (const [sent, host] of [
    ['192.0.2.1', '192.0.2.1'],
    ['example.org', 'example.org'],
    ['n'.repeat(255), 'n'.repeat(255)],
  ] as const)
    for (const split of [(bytes: Buffer) => [bytes], bytewise]) {
      const { written, asked, failed } = await serve(
        split(Buffer.concat([greeting, request({ host: sent, port: 65_535 })])),
      )
      assert.equal(written, [5, 0])
      assert.equal(asked, [{ target: { host, port: 65_535 }, user: undefined, rest: '' }])
      assert.equal(failed, [])
    }
})

test('an IPv6 address is the same address, however it is written', async () => {
  for (const host of ['::1', '2001:db8::1:0:0:1', 'fe80::abcd']) {
    const { asked } = await serve([greeting, request({ host, port: 80 })])
    const again = encodeTarget(asked[0]!.target)
    assert.equal(again, encodeTarget({ host, port: 80 }))
  }
})

test('what is sent without waiting for replies is kept for the target, wherever it is split', async () => {
  const bytes = Buffer.concat([greeting, request(example), Buffer.from('data at once')])
  for (let at = 0; at <= bytes.length; at++) {
    const { written, asked } = await serve([bytes.subarray(0, at), bytes.subarray(at)])
    assert.equal(written, [5, 0])
    assert.equal(asked[0]?.target, example)
    assert.ok('data at once'.startsWith(asked[0]!.rest))
    if (at === 0 || at === bytes.length) assert.is(asked[0]!.rest, 'data at once')
  }
})

test('a client is let in without a login where none is needed, and its name is known when it gives one', async () => {
  assert.is((await serve([Buffer.of(5, 2, 0, 1), request(example)])).asked.length, 1)
  const bytes = Buffer.concat([Buffer.of(5, 2, 0, 2), login('session-1', 'x'), request(example)])
  for (const chunks of [[bytes], bytewise(bytes)]) {
    const { written, asked } = await serve(chunks)
    assert.equal(written, [5, 2, 1, 0])
    assert.equal(asked, [{ target: example, user: 'session-1', rest: '' }])
  }
})

test('where a login is needed, only the right one is let in', async () => {
  const withLogin = (user: string, password: string) =>
    serve([Buffer.concat([Buffer.of(5, 1, 2), login(user, password), request(example)])], locked)
  assert.is((await withLogin('ann', 'secret')).asked.length, 1)
  for (const [user, password] of [
    ['ann', 'wrong'],
    ['bob', 'secret'],
  ] as const) {
    const { written, asked, failed } = await withLogin(user, password)
    assert.equal(written.slice(0, 3), [5, 2, 1])
    assert.is.not(written[3], 0)
    assert.is(asked.length, 0)
    assert.is(failed.length, 1)
  }
  const { written, asked } = await serve([greeting, request(example)], locked)
  assert.equal(written, [5, 0xff])
  assert.is(asked.length, 0)
})

test('a client that offers no method we have is told so', async () => {
  assert.equal((await serve([Buffer.of(5, 1, 1)])).written, [5, 0xff])
})

test('an unknown command or address type is refused with its own code', async () => {
  const refusal = (code: number) => [5, 0, 5, code, 0, 1, 0, 0, 0, 0, 0, 0]
  assert.equal((await serve([greeting, request(example, 2)])).written, refusal(7))
  assert.equal((await serve([greeting, request(example, 9)])).written, refusal(7))
  assert.equal((await serve([greeting, Buffer.of(5, 1, 0, 2, 1, 1, 1, 1, 0, 80)])).written, refusal(8))
})

test('bytes that are no SOCKS5 ask for nothing', async () => {
  for (const bytes of [
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    Buffer.of(4, 1, 0, 80, 127, 0, 0, 1, 0),
    Buffer.of(5, 0),
    Buffer.of(0),
  ]) {
    const { asked, failed } = await serve([bytes])
    assert.is(asked.length, 0)
    assert.is(failed.length, 1)
  }
})

test('each corner of a greeting and a request has its answer', async () => {
  const addressed = (...bytes: number[]) => Buffer.concat([greeting, Buffer.of(5, 1, 0, ...bytes)])
  const refusal = (code: number) => [5, 0, 5, code, 0, 1, 0, 0, 0, 0, 0, 0]
  for (const [what, bytes, answer] of [
    ['no method at all', Buffer.of(5, 0), [5, 0xff]],
    ['no method, and a request behind it', Buffer.concat([Buffer.of(5, 0), request(example)]), [5, 0xff]],
    ['methods that are private or unassigned', Buffer.of(5, 3, 3, 0x80, 0xfe), [5, 0xff]],
    ['0xff among the methods', Buffer.of(5, 1, 0xff), [5, 0xff]],
    ['a request of another version', Buffer.concat([greeting, Buffer.of(4, 1, 0, 1)]), [5, 0]],
    ['command 0', Buffer.concat([greeting, request(example, 0)]), refusal(7)],
    ['BIND', Buffer.concat([greeting, request(example, 2)]), refusal(7)],
    ['Tor’s RESOLVE', Buffer.concat([greeting, request(example, 0xf0)]), refusal(7)],
    ['address type 0', addressed(0, 0, 80), refusal(8)],
    ['address type 2', addressed(2, 0, 80), refusal(8)],
    ['address type 5', addressed(5, 0, 80), refusal(8)],
  ] as const)
    for (const chunks of [[bytes], bytewise(bytes)]) {
      const { written, asked, failed } = await serve(chunks)
      assert.equal(written, answer, what)
      assert.is(asked.length, 0, what)
      assert.is(failed.length, 1, what)
    }
})

test('the same method twice, all 255 of them, and a reserved byte that is set are taken', async () => {
  const all = Buffer.from(Array.from({ length: 255 }, (_, i) => i))
  const reserved = request(example)
  reserved[2] = 9
  for (const [bytes, answer] of [
    [Buffer.concat([Buffer.of(5, 2, 0, 0), request(example)]), [5, 0]],
    [Buffer.concat([Buffer.of(5, 255), all, login('ann', ''), request(example)]), [5, 2, 1, 0]],
    [Buffer.concat([greeting, reserved]), [5, 0]],
  ] as const)
    for (const chunks of [[bytes], bytewise(bytes)]) {
      const { written, asked } = await serve(chunks)
      assert.equal(written, answer)
      assert.equal(asked[0]?.target, example)
    }
})

test('a login of another version is refused in the form of a login, and ends there', async () => {
  for (const version of [0, 2, 5]) {
    const bytes = login('ann', 'secret')
    bytes[0] = version
    const { written, asked, failed } = await serve(
      [Buffer.concat([Buffer.of(5, 1, 2), bytes, request(example)])],
      locked,
    )
    assert.equal(written, [5, 2, 1, 1])
    assert.is(asked.length, 0)
    assert.is(failed.length, 1)
  }
})

test('a reply carries its code and the address, of either family', async () => {
  const reply = (host: string) => [...socksReply({ code: 0, bound: { host, port: 258 } })]
  assert.equal(reply('192.0.2.1'), [5, 0, 0, 1, 192, 0, 2, 1, 1, 2])
  assert.equal(reply('::1'), [5, 0, 0, 4, ...new Array(15).fill(0), 1, 1, 2])
})

test('10,000 random and mutated conversations end in a request, a refusal, or a wait for more', async () => {
  const random = seeded(11)
  const right = Buffer.concat([greeting, request(example), Buffer.from('data')])
  for (let i = 0; i < 10_000; i++) {
    const bytes = i % 2 ? random.bytes(random.int(300)) : Buffer.from(right)
    if (i % 2 === 0)
      for (let n = 1 + random.int(3); n > 0; n--) bytes[random.int(bytes.length)] = random.int(256)
    else bytes[0] = 5
    const at = random.int(bytes.length + 1)
    const { asked, failed } = await serve([bytes.subarray(0, at), bytes.subarray(at)])
    assert.ok(asked.length + failed.length <= 1)
  }
})

test.run()
