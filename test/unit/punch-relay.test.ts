import { readdirSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Candidate } from '../../tunnel/nat/ice/candidate.ts'
import { CheckList, type Outgoing, relayAfterMs } from '../../tunnel/nat/ice/check-list.ts'
import { newIceCredentials } from '../../tunnel/nat/ice/credentials.ts'
import type { Nominated } from '../../tunnel/nat/ice/pair.ts'
import { type Punched, type PunchOptions, punch } from '../../tunnel/nat/ice/punch.ts'
import type { Endpoint } from '../../tunnel/net/endpoint.ts'
import { openUdpSocket } from '../../tunnel/net/udp/open.ts'
import type { UdpSocket } from '../../tunnel/net/udp/socket.ts'
import { closeAfterEach } from '../support/close-after-each.ts'
import { until } from '../support/until.ts'

// A punch with an address that a TURN server lends, here an object that hands packets over; the direct path is there
// when `direct` says so.

interface Context {
  socket: UdpSocket
  /** The other side's socket, and what it heard that is no check, with how it came. */
  other: UdpSocket
  heard: string[]
  direct: boolean
  relay: NonNullable<PunchOptions['relay']> & { closed: boolean; permitted: readonly string[] }
  options: PunchOptions
}

const address = '127.0.0.1'
const test = suite<Context>('a punch with a relay')
const later = closeAfterEach(test)
/** First bytes: 64 and up are QUIC's. */
const packet = (text: string) => Buffer.concat([Buffer.of(0x40), Buffer.from(text)])
const textOf = (datagram: Uint8Array) => Buffer.from(datagram.subarray(1)).toString()

test.before.each(async context => {
  const [local, remote] = [newIceCredentials(), newIceCredentials()]
  const socket = later(await openUdpSocket({ address }))
  const other = later(await openUdpSocket({ address }))
  const relayed: Candidate = { address: '127.0.0.9', port: 9, kind: 'relayed' }
  const list = new CheckList({ local: remote, remote: local, candidates: [relayed], controlling: false }, 0)
  const at = { address, port: other.local.port }
  Object.assign(context, { socket, other, heard: [], direct: false })

  const send = (outgoing: readonly Outgoing[]) => {
    for (const { datagram, to } of outgoing)
      if (to.address === relayed.address) context.relay.onDatagram(datagram, at.address, at.port)
      else if (context.direct) other.send(datagram, to)
  }
  const take = (datagram: Uint8Array, from: Endpoint, how: string) => {
    if (datagram[0]! >= 64) context.heard.push(`${textOf(datagram)} ${how}`)
    else send(list.receive(datagram, from, performance.now()))
  }
  context.relay = {
    closed: false,
    permitted: [],
    onDatagram() {},
    send: datagram => take(new Uint8Array(datagram), relayed, 'by the relay'),
    permit(addresses) {
      this.permitted = addresses
    },
    bind() {},
    close() {
      this.closed = true
    },
  }
  other.onDatagram = (datagram, address, port) => {
    if (context.direct) take(datagram, { address, port }, 'directly')
  }
  const timer = setInterval(() => send(list.poll(performance.now())), 10)
  later({ close: () => clearInterval(timer) })
  context.options = {
    local,
    remote,
    candidates: [{ ...at, kind: 'server-reflexive' }],
    controlling: true,
    admission: { mapped: { address, port: socket.local.port } },
    mapping: { local: 'endpoint-independent', remote: 'endpoint-independent' },
    relay: context.relay,
  }
})

/** What the engine does with the socket: it sends to the path's peer, and hears what comes from there. */
function engineOn({ socket, path, answerCheck }: Punched) {
  const heard: string[] = []
  socket.onDatagram = (datagram, address, port) => {
    if (datagram[0]! < 64) answerCheck(datagram, { address, port })
    else heard.push(`${textOf(datagram)} ${port === path.peer.port ? 'from the peer' : 'from elsewhere'}`)
  }
  return { heard, send: (text: string) => socket.send(packet(text), path.peer) }
}

test('one that is not needed is given back', async context => {
  const { options, socket, relay } = context
  context.direct = true
  const punched = await punch(socket, options)
  assert.is(punched.nominated.kind, 'server-reflexive')
  assert.is(punched.path.mayMove, false)
  assert.is(relay.closed, true)
  assert.equal(relay.permitted, [address])
  punched.close()
})

test('without a direct path the socket sends by a bridge, and hears what comes back', async context => {
  const { options, socket, relay, other, heard } = context
  const began = performance.now()
  const punched = await punch(socket, options)
  assert.ok(performance.now() - began >= relayAfterMs - 1)
  assert.equal([punched.nominated.kind, punched.path.mayMove, punched.socket], ['relayed', true, socket])
  const engine = engineOn(punched)
  await until(() => {
    engine.send('hello')
    return heard.length > 0
  }, 'the other side to hear')
  assert.is(heard[0], 'hello by the relay')
  await until(() => {
    relay.onDatagram(packet('back'), address, other.local.port)
    return engine.heard.length > 0
  }, 'this side to hear')
  assert.is(engine.heard[0], 'back from the peer')
  // Somebody else's packets at the relayed address are not the peer's.
  const before = engine.heard.length
  relay.onDatagram(packet('stranger'), '127.0.0.7', 7)
  relay.onDatagram(packet('last'), address, other.local.port)
  await until(() => engine.heard.some(text => text === 'last from the peer'), 'the last to come')
  assert.not(engine.heard.slice(before).some(text => text.includes('stranger')))
  punched.close()
  assert.is(relay.closed, true)
})

test('QUIC that comes before the engine is kept for it', async ({ options, socket, relay, other }) => {
  const timer = setInterval(() => relay.onDatagram(packet('early'), address, other.local.port), 20)
  const punched = await punch(socket, options)
  await until(() => punched.early.length > 0, 'what came early')
  clearInterval(timer)
  assert.is(textOf(punched.early[0]!), 'early')
  punched.close()
})

test('a direct path that comes up later is moved to, and what is on its way by the relay still arrives', async context => {
  const { options, socket, relay, other, heard } = context
  const punched = await punch(socket, options)
  const engine = engineOn(punched)
  const moved: Nominated[] = []
  punched.path.onMoved = better => moved.push(better)
  context.direct = true
  await until(() => moved.length > 0, 'the move')
  assert.equal(punched.path.peer, { address, port: other.local.port })
  assert.not.equal(moved[0]!.kind, 'relayed')
  heard.length = 0
  await until(() => {
    engine.send('hello')
    return heard.length > 0
  }, 'the other side to hear')
  assert.is(heard[0], 'hello directly')
  await until(() => {
    relay.onDatagram(packet('late'), address, other.local.port)
    return engine.heard.length > 0
  }, 'what was on its way')
  await until(() => relay.closed, 'the relay to be given back')
  assert.is(moved.length, 1)
  punched.close()
})

test('sockets that were opened on a chance are closed when it is over, and when the session is', async context => {
  const { options, socket } = context
  const open = () => readdirSync('/proc/self/fd').length
  const before = open()
  const mapping = { local: 'address-dependent', remote: 'endpoint-independent' } as const
  const punched = await punch(socket, { ...options, mapping })
  await until(() => open() > before + 100, 'sockets to be opened')
  await until(() => open() < before + 10, 'them to be closed')
  punched.close()
  await until(() => open() <= before, 'the bridge to be closed')
})

test('called off while a relay serves the checks, it closes all but the socket', async ({
  options,
  socket,
  relay,
}) => {
  const stop = new AbortController()
  const running = punch(socket, { ...options, signal: stop.signal })
  const reason = new Error('called off')
  stop.abort(reason)
  assert.is(await running.catch(error => error), reason)
  assert.is(relay.closed, true)
})

if (process.platform === 'linux') test.run()
