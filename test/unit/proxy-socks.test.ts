import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { LoginTable } from '../../cli/client/accounts/access.ts'
import { makeLogin } from '../../cli/client/accounts/login.ts'
import { readSocksLogin } from '../../cli/client/inbound/socks5/login.ts'
import { SocksServer } from '../../cli/client/inbound/socks5/socks5.ts'
import { converse, type NearProxy, nearProxy } from '../support/near-proxy.ts'
import { type RawOrigin, rawOrigin } from '../support/raw-origin.ts'
import { until } from '../support/until.ts'

interface Context {
  open: NearProxy
  closed: NearProxy
  origin: RawOrigin
}

const test = suite<Context>('SOCKS5')

test.before(async context => {
  context.origin = await rawOrigin(heard =>
    heard.endsWith('bye') ? { say: `you said ${heard}`, end: true } : undefined,
  )
  context.open = await nearProxy()
  context.closed = await nearProxy({ logins: [makeLogin('test', 'alice', 'secret')] })
})
test.after(async ({ open, closed, origin }) => {
  open.close()
  closed.close()
  await origin.close()
})

const hello = (...methods: number[]) => Buffer.from([5, methods.length, ...methods])
const login = (user: string, password: string) =>
  Buffer.concat([
    Buffer.of(1, user.length),
    Buffer.from(user),
    Buffer.of(password.length),
    Buffer.from(password),
  ])
const request = (port: number, command = 1, type = 1) =>
  Buffer.from([5, command, 0, type, 127, 0, 0, 1, port >> 8, port & 255])
const hex = (said: string) => Buffer.from(said, 'latin1').toString('hex')
/** The choice of no method of login, and a refusal with this code. */
const unreached = (code: number) => `0500050${code}0001000000000000`
const all = (...parts: Uint8Array[]) => Buffer.concat(parts)

test('what an application sends without waiting arrives', async ({ open, origin }) => {
  const bytes = all(hello(0), request(origin.port), Buffer.from('hello bye'))
  const whole = await converse(open.port, bytes)
  assert.match(hex(whole), /^0500050000017f000001/)
  assert.match(whole, /you said hello bye$/)
})

test('a conversation is understood wherever it is cut', async () => {
  const bytes = all(hello(0, 2), login('alice', 'a'), request(80), Buffer.from('rest'))
  const access = new LoginTable([makeLogin('test', 'alice', 'a')])
  for (let cut = 1; cut < bytes.length; cut++)
    for (const size of [cut, 1]) {
      const said: Uint8Array[] = []
      const asked: unknown[] = []
      let held = false
      const server = new SocksServer({
        access,
        hold: on => {
          held = on
        },
        write: each => said.push(each),
        connect: (target, { user }, rest) => asked.push(target, user, Buffer.from(rest).toString()),
        associate: () => assert.unreachable(),
        fail: ({ message }) => assert.unreachable(message),
      })
      // What comes after the request is no longer for it.
      for (let at = 0; asked.length === 0; at += size) {
        server.take(bytes.subarray(at, at + size))
        while (held) await Promise.resolve()
      }
      assert.is(Buffer.concat(said).toString('hex'), '05020100')
      assert.equal(asked.slice(0, 2), [{ host: '127.0.0.1', port: 80 }, 'alice'])
      assert.ok('rest'.startsWith(String(asked[2])))
    }
})

test('a login that is not needed says which exit is wanted', async ({ open, origin }) => {
  for (const [user, password] of [
    ['region-eu-west-1', 'x'],
    ['alice-session-abc', ''],
    ['', ''],
  ] as const) {
    const said = await converse(
      open.port,
      all(hello(0, 2), login(user, password), request(origin.port), Buffer.from('bye')),
    )
    assert.match(hex(said), /^0502010005000001/)
    assert.equal(open.exit.requests.at(-1), { host: '127.0.0.1', user })
  }
})

test('a login that is needed must be right, and the whole user name is passed on', async ({
  closed,
  origin,
}) => {
  const ask = (...parts: Uint8Array[]) =>
    converse(closed.port, all(...parts, request(origin.port), Buffer.from('bye')))
  assert.is(hex(await ask(hello(0))), '05ff')
  assert.is(hex(await ask(hello(2), login('alice', 'wrong'))), '05020101')
  assert.is(hex(await ask(hello(2), login('bob', 'secret'))), '05020101')
  assert.is(hex(await ask(hello(2), login('', ''))), '05020101')
  assert.is(hex(await ask(hello(2), Buffer.of(5, 1, 0))), '05020101')
  assert.is(closed.exit.requests.length, 0)
  const user = 'alice-region-eu-west-1'
  assert.match(hex(await ask(hello(0, 1, 2), login(user, 'secret'))), /^0502010005000001/)
  assert.equal(closed.exit.requests, [{ host: '127.0.0.1', user }])
  assert.equal(new Set(closed.told('client.rejected').map(({ protocol }) => protocol)), new Set(['socks5']))
  assert.not.match(JSON.stringify(closed.events), 'secret')
})

test('refusals have their RFC form', async ({ open }) => {
  const cases: [Uint8Array, string][] = [
    [all(hello(0), request(1)), unreached(5)],
    [all(hello(0), request(80, 2)), unreached(7)],
    [all(hello(0), request(80, 9)), unreached(7)],
    [all(hello(0), request(80, 1, 7)), unreached(8)],
    [all(hello(0), Buffer.from('\x05\x01\x00\x03\x00\x00\x50', 'latin1')), unreached(1)],
    [all(hello(0), Buffer.from('\x05\x01\x00\x03\x03a b\x00\x50', 'latin1')), unreached(1)],
    [all(hello(0), request(0)), unreached(1)],
    [all(hello(0), Buffer.from('\x05\x01\x00\x03\x0a127.0.0.1\x00\x00\x50', 'latin1')), unreached(1)],
    [all(hello(0), Buffer.from('\x05\x01\x00\x03\x05[::1]\x00\x50', 'latin1')), unreached(4)],
    [all(hello(0), Buffer.from('\x04\x01\x00\x01\x7f\x00\x00\x01\x00\x50', 'latin1')), '0500'],
    [hello(1, 3), '05ff'],
    [Buffer.from([5, 0]), '05ff'],
    [Buffer.from([4, 1, 0, 80, 1, 2, 3, 4, 0]), '005b000000000000'],
  ]
  for (const [bytes, expected] of cases) {
    assert.is(hex(await converse(open.port, bytes)), expected, Buffer.from(bytes).toString('hex'))
  }
})

test('each rejection has its code and the way out', async ({ open, closed }) => {
  await converse(open.port, all(hello(0), request(80, 2)))
  await converse(open.port, Buffer.from([4, 1, 0, 80, 1, 2, 3, 4, 0]))
  await converse(closed.port, hello(0))
  await converse(closed.port, all(hello(2), login('alice', 'wrong')))
  for (const [proxy, code] of [
    [open, 'E_SOCKS_COMMAND'],
    [open, 'E_CLIENT_PROTOCOL'],
    [closed, 'E_LOGIN_REQUIRED'],
    [closed, 'E_LOGIN_WRONG'],
  ] as const)
    assert.ok(proxy.told('client.rejected').find(event => event.code === code)?.hint, code)
})

test('a refused target is told with its code, and leaves nothing open', async ({ open }) => {
  await until(() => open.open() === 0 && open.exit.streams() === 0, 'everything to be closed')
  assert.ok(
    open.told('connection.refused').some(({ target, reply }) => target === '127.0.0.1:1' && reply === 5),
  )
})

test('a login is read when all of it is there', () => {
  const bytes = login('alice', 'secret')
  for (let i = 0; i < bytes.length; i++) assert.is(readSocksLogin(bytes.subarray(0, i)), undefined)
  assert.equal(readSocksLogin(Buffer.concat([bytes, Buffer.of(5)])), {
    user: 'alice',
    password: 'secret',
    length: bytes.length,
  })
  assert.throws(() => readSocksLogin(Buffer.of(5, 1)), 'version')
})

test.run()
