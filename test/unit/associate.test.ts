import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import * as assert from 'uvu/assert'
import { parseRules } from '../../cli/client/outbound/rules.ts'
import { content } from '../lab/content.ts'
import { answers, associationSuite } from '../support/association-suite.ts'
import { udpEcho, udpRequest, vacated } from '../support/udp-client.ts'
import { until } from '../support/until.ts'

const test = associationSuite('UDP associations')
const host = '127.0.0.1'

test('packets go to addresses of both families and to names, and come back with where they came from', async ({
  proxy,
  open,
  echo,
}) => {
  const { port } = await proxy()
  const association = await open({ proxy: port })
  const six = await udpEcho('::1')
  association.send({ host, port: echo.port }, 'four')
  association.send({ host: 'localhost', port: echo.port }, 'name')
  association.send({ host: '::1', port: six.port }, 'six')
  // A name's field may hold an address, spelt as no system would.
  const spelt = Buffer.from('0:0::0001')
  const head = Buffer.from([0, 0, 0, 3, spelt.length, ...spelt, six.port >> 8, six.port & 255])
  association.sendRaw(Buffer.concat([head, Buffer.from('spelt')]))
  association.send({ host: '::ffff:127.0.0.1', port: echo.port }, 'mapped')
  assert.equal((await answers(association, 5)).sort(), ['four', 'mapped', 'name', 'six', 'spelt'])
  for (const { host: from, port, data } of association.received) {
    const isSix = ['six', 'spelt'].includes(String(data))
    assert.is(port, isSix ? six.port : echo.port, String(data))
    assert.is(from, isSix ? '::1' : String(data) === 'mapped' ? '::ffff:7f00:1' : host)
  }
  six.close()
})

test('large packets and empty ones come through whole', async ({ proxy, open, echo }) => {
  const association = await open({ proxy: (await proxy()).port })
  for (const size of [0, 1_200, 1_400, 9_000, 65_000])
    association.send({ host, port: echo.port }, content(size))
  await until(() => association.received.length === 5, 'all five')
  const sizes = association.received.map(({ data }) => data.length).sort((a, b) => a - b)
  assert.equal(sizes, [0, 1_200, 1_400, 9_000, 65_000])
  for (const { data } of association.received) assert.ok(content(data.length).equals(data))
})

test('fragments and what is no packet are dropped', async ({ proxy, open, echo }) => {
  const association = await open({ proxy: (await proxy()).port })
  const target = { host, port: echo.port }
  for (const fragment of [1, 2, 0x81]) association.sendRaw(udpRequest(target, Buffer.from('part'), fragment))
  const whole = udpRequest(target, Buffer.alloc(0))
  for (let length = 0; length < whole.length; length++) association.sendRaw(whole.subarray(0, length))
  association.sendRaw(Buffer.from([0, 0, 0, 9, 1, 2, 3, 4, 5, 6]))
  association.send(target, 'whole')
  assert.equal(await answers(association, 1), ['whole'])
  assert.is(echo.from.length, 1)
})

test('only the client may use an association, from the port that it began with', async ({
  proxy,
  open,
  echo,
}) => {
  const association = await open({ proxy: (await proxy()).port })
  const packet = (text: string) => udpRequest({ host, port: echo.port }, Buffer.from(text))
  const sendFrom = async (address: string, text: string) => {
    const socket = createSocket('udp4').bind(0, address)
    await once(socket, 'listening')
    const heard: Buffer[] = []
    socket.on('message', message => heard.push(message))
    await new Promise(resolve =>
      socket.send(packet(text), association.relay.port, association.relay.host, resolve),
    )
    return { heard, close: () => socket.close() }
  }
  const stranger = await sendFrom('127.0.0.2', 'before anybody')
  association.send({ host, port: echo.port }, 'mine')
  assert.equal(await answers(association, 1), ['mine'])
  const neighbour = await sendFrom(host, 'from another port')
  association.send({ host, port: echo.port }, 'mine again')
  assert.equal(await answers(association, 2), ['mine', 'mine again'])
  assert.is(echo.from.length, 2)
  for (const other of [stranger, neighbour]) {
    assert.is(other.heard.length, 0)
    other.close()
  }
})

test('an association that names its port is that port’s alone, whoever sends first', async ({
  proxy,
  open,
  echo,
}) => {
  const { port } = await proxy()
  for (const from of ['127.0.0.1', '0.0.0.0', '::', '::ffff:127.0.0.1', 'localhost']) {
    const association = await open({ proxy: port, from: port => ({ host: from, port }) })
    const neighbour = createSocket('udp4').bind(0, host).unref()
    await once(neighbour, 'listening')
    const stolen = udpRequest({ host, port: echo.port }, Buffer.from('stolen'))
    await new Promise(done => neighbour.send(stolen, association.relay.port, host, done))
    association.send({ host, port: echo.port }, from)
    assert.equal(await answers(association, 1), [from])
    neighbour.close()
  }
  assert.is(echo.from.length, 5)
})

test('an address that the request did not come from says nothing of the port, and is sent nothing', async ({
  proxy,
  open,
  echo,
}) => {
  const { port } = await proxy()
  const elsewhere = await udpEcho('127.0.0.2')
  elsewhere.socket.unref()
  for (const from of [
    { host: '127.0.0.2', port: elsewhere.port },
    { host: '2001:db8::1', port: 9 },
  ]) {
    const association = await open({ proxy: port, from })
    association.send({ host, port: echo.port }, 'translated')
    assert.equal(await answers(association, 1), ['translated'])
  }
  assert.is(elsewhere.from.length, 0)
  elsewhere.close()
})

for (const outbound of ['tunnel', 'direct'])
  test(`only who was sent to may answer, by the outbound ${outbound}`, async ({ proxy, open, echo }) => {
    const association = await open({ proxy: (await proxy({ rules: parseRules([`${outbound} *`]) })).port })
    association.send({ host, port: echo.port }, 'hello')
    await answers(association, 1)
    const { port } = echo.from[0]!
    const stranger = await udpEcho()
    await new Promise(resolve => stranger.socket.send('unasked', port, host, resolve))
    association.send({ host, port: stranger.port }, 'now you are asked')
    assert.equal(await answers(association, 2), ['hello', 'now you are asked'])
    stranger.close()
  })

test('the direct outbound knows an address in each of its spellings', async ({ proxy, open, echo }) => {
  const association = await open({ proxy: (await proxy({ rules: parseRules(['direct *']) })).port })
  association.send({ host: '::ffff:127.0.0.1', port: echo.port }, 'mapped')
  assert.equal(await answers(association, 1), ['mapped'])
})

test('an association ends with its TCP connection, at both ends of the tunnel', async ({
  proxy,
  open,
  echo,
}) => {
  const { port, exit } = await proxy()
  const association = await open({ proxy: port })
  association.send({ host, port: echo.port }, 'hello')
  await answers(association, 1)
  assert.is(exit.streams(), 1)
  await association.end()
  await until(() => exit.streams() === 0, 'the exit’s stream to end')
  await vacated(association.relay.port, 'the relay')
  await vacated(echo.from[0]!.port, 'the exit’s socket')
})

test('rules hold for packets as well: blocked ones are dropped, direct ones need no exit', async ({
  proxy,
  open,
  echo,
}) => {
  const six = await udpEcho('::1')
  const blocked = await udpEcho()
  const { port, exit } = await proxy({
    rules: parseRules([`block 127.0.0.1:${blocked.port}`, 'direct 127.0.0.1', 'direct ::1']),
  })
  const association = await open({ proxy: port })
  association.send({ host, port: blocked.port }, 'blocked')
  association.send({ host, port: echo.port }, 'direct')
  association.send({ host: '::1', port: six.port }, 'direct too')
  assert.equal((await answers(association, 2)).sort(), ['direct', 'direct too'])
  assert.equal(exit.requests, [])
  association.send({ host: 'localhost', port: echo.port }, 'tunnel')
  await answers(association, 3)
  assert.is(exit.requests.length, 1)
  assert.is(blocked.from.length, 0)
  six.close()
  blocked.close()
})

test('without an exit packets are lost, and the association stays', async ({ proxy, open, echo }) => {
  const { port, exit } = await proxy({ rules: parseRules(['direct 127.0.0.1']) })
  exit.vanish()
  const association = await open({ proxy: port })
  for (let i = 0; i < 100; i++) association.send({ host: 'localhost', port: echo.port }, 'lost')
  await until(() => exit.requests.length > 0, 'an exit to be asked for')
  association.send({ host, port: echo.port }, 'direct')
  assert.equal(await answers(association, 1), ['direct'])
  assert.is(echo.from.length, 1)
})

test('packets that go nowhere are told once a target, with the reason', async ({ proxy, open, echo }) => {
  const { port, told, exit } = await proxy({
    exit: { allowPrivate: false },
    rules: parseRules(['block 127.0.0.2']),
  })
  const association = await open({ proxy: port })
  for (let i = 0; i < 5; i++)
    for (const target of ['127.0.0.2', host, 'localhost', 'no.such.name.invalid'])
      association.send({ host: target, port: echo.port }, 'lost')
  await until(() => told('connection.refused').length === 4, 'four refusals')
  assert.equal(
    told('connection.refused')
      .map(({ target, code, outbound }) => [target, code, outbound])
      .sort(),
    [
      [`127.0.0.1:${echo.port}`, 'E_TARGET_PRIVATE', 'tunnel'],
      [`127.0.0.2:${echo.port}`, 'E_TARGET_BLOCKED', 'block'],
      [`localhost:${echo.port}`, 'E_TARGET_PRIVATE', 'tunnel'],
      [`no.such.name.invalid:${echo.port}`, 'E_TARGET_NOT_FOUND', 'tunnel'],
    ],
  )
  exit.vanish()
  const other = await open({ proxy: port })
  other.send({ host, port: echo.port }, 'lost')
  await until(() => told('connection.failed').length === 1, 'the failure')
  assert.is(echo.from.length, 0)
})

test('an IPv4 client of a listener for all addresses is told an IPv4 address', async ({
  proxy,
  open,
  echo,
}) => {
  const { port } = await proxy({ listeners: [{ host: '::' }], allowOpen: true })
  const association = await open({ proxy: port })
  assert.is(association.relay.host, host)
  association.send({ host, port: echo.port }, 'hello')
  assert.equal(await answers(association, 1), ['hello'])
  const six = await open({ proxy: port, host: '::1' })
  assert.is(six.relay.host, '::1')
  six.send({ host, port: echo.port }, 'hello six')
  assert.equal(await answers(six, 1), ['hello six'])
})

test.run()
