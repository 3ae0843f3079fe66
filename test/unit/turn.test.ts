import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { allocate } from '../../tunnel/nat/turn/allocate.ts'
import { Allocation } from '../../tunnel/nat/turn/allocation.ts'
import type { TurnCredentials } from '../../tunnel/nat/turn/credentials.ts'
import { TurnError, type TurnErrorCode } from '../../tunnel/nat/turn/error.ts'
import type { TurnServerName, TurnTransport } from '../../tunnel/nat/turn/uri.ts'
import type { Endpoint } from '../../tunnel/net/endpoint.ts'
import { openUdpSocket } from '../../tunnel/net/udp/open.ts'
import { selfSigned } from '../support/certificate.ts'
import { closeAfterEach } from '../support/close-after-each.ts'
import { freePort } from '../support/free-port.ts'
import { need } from '../support/need.ts'
import { type LocalTurnServer, startTurnServer, turnLogin, turnSecret } from '../support/turn-server.ts'
import { until } from '../support/until.ts'

// Against coturn, on loopback.

const test = suite('TURN')

const certificate = await selfSigned('localhost', '127.0.0.1')
const ca = certificate.cert
const login: TurnCredentials = turnLogin
const transports: readonly TurnTransport[] = ['udp', 'tcp', 'tls']

const later = closeAfterEach(test)

const serverOf = (server: LocalTurnServer, transport: TurnTransport): TurnServerName => ({
  host: 'localhost',
  port: transport === 'tls' ? server.tlsPort : server.port,
  transport,
})

/** Somebody on loopback who says what was heard, with the sender. */
async function peer() {
  const socket = later(await openUdpSocket({ address: '127.0.0.1' }))
  const heard: { text: string; from: Endpoint }[] = []
  socket.onDatagram = (datagram, address, port) =>
    heard.push({ text: Buffer.from(datagram).toString(), from: { address, port } })
  return { socket, heard, at: socket.local }
}

async function refusedWith(run: Promise<unknown>): Promise<TurnErrorCode> {
  try {
    await run
  } catch (error) {
    assert.instance(error, TurnError, String(error))
    const { code, message, hint } = error as TurnError
    assert.ok(hint)
    for (const secret of [turnLogin.password, turnSecret]) assert.not.match(message, secret)
    return code
  }
  throw new Error('it was to fail')
}

for (const transport of transports)
  for (const credentials of ['login', 'secret'] as const)
    test(`relays both ways over ${transport}, with a ${credentials}, by indication and by channel`, async () => {
      const server = later(await startTurnServer(certificate, { credentials }))
      const shown = credentials === 'login' ? login : { secret: turnSecret }
      const allocation = later(await Allocation.open(serverOf(server, transport), { credentials: shown, ca }))
      const { socket, heard, at } = await peer()
      const back: string[] = []
      allocation.onDatagram = (datagram, address, port) =>
        back.push(`${Buffer.from(datagram).toString()} from ${address}:${port}`)
      allocation.permit([at.address])
      const say = (text: string) => () => {
        allocation.send(Buffer.from(text), at)
        return heard.some(each => each.text === text)
      }
      await until(say('by indication'), 'the indication to arrive')
      assert.equal(heard[0]!.from, allocation.local)
      socket.send(Buffer.from('answer'), allocation.local)
      await until(() => back.includes(`answer from ${at.address}:${at.port}`), 'the answer')

      allocation.bind(at)
      // Odd lengths are padded on a stream, and the padding is not delivered.
      for (const text of ['by channel', 'x', 'four', 'fives']) await until(say(text), text)
      for (const length of [1, 2, 3, 4, 1_400]) {
        const text = 'y'.repeat(length)
        socket.send(Buffer.from(text), allocation.local)
        await until(() => back.includes(`${text} from ${at.address}:${at.port}`), `${length} bytes`)
      }
    })

test('nobody is heard who was not permitted, and nothing is sent there', async () => {
  const server = later(await startTurnServer(certificate))
  const allocation = later(await Allocation.open(serverOf(server, 'udp'), { credentials: login }))
  const stranger = createSocket('udp4').bind(0, '127.0.0.2')
  later(stranger)
  await once(stranger, 'listening')
  const { socket, heard, at } = await peer()
  const back: string[] = []
  allocation.onDatagram = datagram => back.push(Buffer.from(datagram).toString())
  allocation.permit([at.address])
  stranger.on('message', () => back.push('sent to a stranger'))
  await until(() => {
    stranger.send('stranger', allocation.local.port, allocation.local.address)
    allocation.send(Buffer.from('no'), { address: '127.0.0.2', port: stranger.address().port })
    socket.send(Buffer.from('friend'), allocation.local)
    return back.length > 3
  }, 'four of the friend')
  assert.equal([...new Set(back)], ['friend'])
  assert.equal(heard, [])
})

test('wrong credentials, of either kind, are refused with a code', async () => {
  const server = later(await startTurnServer(certificate))
  const name = serverOf(server, 'udp')
  const wrong = { username: turnLogin.username, password: 'wrong' }
  assert.is(await refusedWith(Allocation.open(name, { credentials: wrong })), 'E_TURN_CREDENTIALS')
  assert.is(await refusedWith(Allocation.open(name, { credentials: { secret: 'x' } })), 'E_TURN_CREDENTIALS')
})

test('credentials that have expired are refused with a code', async () => {
  const server = later(await startTurnServer(certificate, { credentials: 'secret' }))
  const expired = { username: '1000000000:lambda-nat-proxy', password: 'any' }
  assert.is(
    await refusedWith(Allocation.open(serverOf(server, 'udp'), { credentials: expired })),
    'E_TURN_CREDENTIALS',
  )
})

test('a quota is told from other refusals', async () => {
  const server = later(await startTurnServer(certificate, { more: ['--user-quota=1'] }))
  const name = serverOf(server, 'udp')
  later(await Allocation.open(name, { credentials: login }))
  assert.is(await refusedWith(Allocation.open(name, { credentials: login })), 'E_TURN_QUOTA')
})

test('a closed allocation is given back at once', async () => {
  const server = later(await startTurnServer(certificate, { more: ['--user-quota=1'] }))
  for (const transport of [...transports, ...transports]) {
    let allocation: Allocation | undefined
    await until(async () => {
      const name = serverOf(server, transport)
      allocation = await Allocation.open(name, { credentials: login, ca }).catch(() => undefined)
      return allocation !== undefined
    }, `the quota to be free for ${transport}`)
    allocation!.close()
  }
})

test('a certificate that nobody trusts is no server', async () => {
  const server = later(await startTurnServer(certificate))
  assert.is(
    await refusedWith(Allocation.open(serverOf(server, 'tls'), { credentials: login })),
    'E_TURN_CERTIFICATE',
  )
})

test('a certificate of another host is no server', async () => {
  const other = await selfSigned('other.example')
  const server = later(await startTurnServer(other))
  const name = serverOf(server, 'tls')
  assert.is(
    await refusedWith(Allocation.open(name, { credentials: login, ca: other.cert })),
    'E_TURN_CERTIFICATE',
  )
})

test('who does not answer, refuses, or has no name is told apart', async () => {
  const port = await freePort()
  const at = (transport: TurnTransport, host = '127.0.0.1') => ({ host, port, transport })
  const options = { credentials: login, limitMs: 300 }
  assert.is(await refusedWith(Allocation.open(at('udp'), options)), 'E_TURN_UNREACHABLE')
  assert.is(await refusedWith(Allocation.open(at('tcp'), options)), 'E_TURN_UNREACHABLE')
  assert.is(
    await refusedWith(Allocation.open(at('udp', 'nobody.invalid'), { credentials: login, limitMs: 5_000 })),
    'E_TURN_NAME_NOT_FOUND',
  )
})

test('a server that speaks something else is not listened to', async () => {
  const server = createServer(socket => socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  later(server.listen(0, '127.0.0.1'))
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const code = await refusedWith(
    Allocation.open({ host: '127.0.0.1', port, transport: 'tcp' }, { credentials: login, limitMs: 2_000 }),
  )
  assert.is(code, 'E_TURN_LOST')
})

test('the loss of the server is told, once', async () => {
  for (const transport of ['tcp', 'tls'] as const) {
    const server = await startTurnServer(certificate)
    const allocation = later(await Allocation.open(serverOf(server, transport), { credentials: login, ca }))
    const lost: TurnErrorCode[] = []
    allocation.lost.addEventListener('abort', () => lost.push(allocation.lost.reason.code))
    await server.close()
    await until(() => lost.length > 0, 'the loss to be told')
    assert.equal(lost, ['E_TURN_LOST'])
  }
})

test('what a slow stream does not take is lost and counted, and nothing piles up', async () => {
  const server = later(await startTurnServer(certificate))
  // A server of TURN's in between that stops reading.
  const held: Socket[] = []
  const { connect } = await import('node:net')
  const between = createServer(socket => {
    held.push(socket)
    const onward = connect(server.port, '127.0.0.1')
    socket.pipe(onward).pipe(socket)
    for (const each of [socket, onward]) each.on('error', () => {})
  })
  later(between.listen(0, '127.0.0.1'))
  await once(between, 'listening')
  const { port } = between.address() as { port: number }
  const allocation = later(
    await Allocation.open({ host: '127.0.0.1', port, transport: 'tcp' }, { credentials: login }),
  )
  allocation.permit(['127.0.0.1'])
  for (const socket of held) socket.unpipe().pause()
  const packet = Buffer.alloc(1_350)
  await until(() => {
    for (let i = 0; i < 1_000; i++) allocation.send(packet, { address: '127.0.0.1', port: 9 })
    return allocation.dropped > 10_000
  }, 'datagrams to be dropped')
  for (const socket of held) socket.destroy()
})

test('what a server forgets in two seconds is renewed, nonces that turn stale are replaced', async () => {
  const forgetful = [
    '--stale-nonce=1',
    '--permission-lifetime=2',
    '--channel-lifetime=2',
    '--max-allocate-lifetime=4',
  ]
  const server = later(await startTurnServer(certificate, { more: forgetful }))
  const allocation = later(
    await Allocation.open(serverOf(server, 'udp'), { credentials: login, renewMs: 500 }),
  )
  const lost: TurnErrorCode[] = []
  allocation.lost.addEventListener('abort', () => lost.push(allocation.lost.reason.code))
  const { socket, heard, at } = await peer()
  const back: string[] = []
  allocation.onDatagram = datagram => back.push(Buffer.from(datagram).toString())
  allocation.permit([at.address])
  allocation.bind(at)
  const began = performance.now()
  let latest = ''
  await until(
    () => {
      const text = String(Math.floor((performance.now() - began) / 1_000))
      allocation.send(Buffer.from(text), at)
      socket.send(Buffer.from(text), allocation.local)
      latest = heard.at(-1)?.text ?? ''
      return Number(latest) >= 8 && Number(back.at(-1)) >= 8
    },
    'both ways to be open after eight seconds',
    20_000,
  )
  assert.equal(lost, [])
})

test('an allocation that the server has forgotten is lost, and that is told', async () => {
  const server = later(await startTurnServer(certificate))
  const between = createSocket('udp4').bind(0, '127.0.0.1')
  await once(between, 'listening')
  later(between)
  // The server sees another client all of a sudden, as behind a NAT that maps anew.
  let onward = later(createSocket('udp4'))
  let client = { address: '', port: 0 }
  const answer = (data: Buffer) => between.send(data, client.port, client.address)
  onward.on('message', answer)
  between.on('message', (data, from) => {
    client = from
    onward.send(data, server.port, '127.0.0.1')
  })
  const { port } = between.address()
  const allocation = later(
    await Allocation.open(
      { host: '127.0.0.1', port, transport: 'udp' },
      { credentials: login, renewMs: 200 },
    ),
  )
  const lost: TurnErrorCode[] = []
  allocation.lost.addEventListener('abort', () => lost.push(allocation.lost.reason.code))
  onward = later(createSocket('udp4'))
  onward.on('message', answer)
  await until(() => lost.length > 0, 'the loss to be told')
  assert.equal(lost, ['E_TURN_LOST'])
})

test('of several servers the first that lends an address serves', async () => {
  const server = later(await startTurnServer(certificate))
  const dead: TurnServerName = { host: '127.0.0.1', port: await freePort(), transport: 'udp' }
  const allocation = later(await allocate({ servers: [dead, serverOf(server, 'tcp')], credentials: login }))
  assert.match(allocation.server, 'transport=tcp')
  const refused: TurnServerName = { ...dead, transport: 'tcp' }
  const second = later(await allocate({ servers: [refused, serverOf(server, 'udp')], credentials: login }))
  assert.match(second.server, 'transport=udp')
})

test('where none does the first one’s reason is told', async () => {
  const server = later(await startTurnServer(certificate))
  const dead: TurnServerName = { host: '127.0.0.1', port: await freePort(), transport: 'tcp' }
  const wrong = { username: turnLogin.username, password: 'wrong' }
  const servers = [serverOf(server, 'udp'), dead]
  assert.is(await refusedWith(allocate({ servers, credentials: wrong })), 'E_TURN_CREDENTIALS')
})

test('called off, it leaves nothing open', async () => {
  const stop = new AbortController()
  const dead: TurnServerName = { host: '127.0.0.1', port: await freePort(), transport: 'udp' }
  const run = allocate({ servers: [dead], credentials: login }, { signal: stop.signal })
  const reason = new Error('called off')
  stop.abort(reason)
  assert.is(await run.catch(error => error), reason)
})

if (need(['coturn'], ['turnserver'])) test.run()
