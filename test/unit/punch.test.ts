import { readdirSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CandidateError } from '../../tunnel/nat/ice/candidates.ts'
import { CheckList } from '../../tunnel/nat/ice/check-list.ts'
import { newIceCredentials } from '../../tunnel/nat/ice/credentials.ts'
import { PunchError, type PunchErrorCode } from '../../tunnel/nat/ice/error.ts'
import { type PunchOptions, punch } from '../../tunnel/nat/ice/punch.ts'
import type { Behaviour } from '../../tunnel/nat/stun/mapping.ts'
import type { Endpoint } from '../../tunnel/net/endpoint.ts'
import { openUdpSocket } from '../../tunnel/net/udp/open.ts'
import type { UdpSocket } from '../../tunnel/net/udp/socket.ts'
import { closeAfterEach } from '../support/close-after-each.ts'
import { until } from '../support/until.ts'

// On loopback there is no NAT; where one is needed, the other side is deaf to what it would not let in.

interface Context {
  /** A socket on 127.0.0.1, and one that is the other side's. */
  socket: UdpSocket
  other: UdpSocket
  options: PunchOptions
  /** Lets the other side take part, hearing only these sources. */
  answer: (lets?: (from: Endpoint) => boolean) => void
}

const address = '127.0.0.1'
const easy = 'endpoint-independent'
const hard = 'address-dependent'
const test = suite<Context>('punch')
const later = closeAfterEach(test)

test.before.each(async context => {
  const [local, remote] = [newIceCredentials(), newIceCredentials()]
  const socket = later(await openUdpSocket({ address }))
  const other = later(await openUdpSocket({ address }))
  const at = { address, port: other.local.port }
  context.socket = socket
  context.other = other
  context.options = {
    local,
    remote,
    candidates: [at],
    controlling: true,
    admission: { mapped: { address, port: socket.local.port } },
    mapping: { local: easy, remote: easy },
  }
  context.answer = (lets = () => true) => {
    const list = new CheckList({ local: remote, remote: local, candidates: [], controlling: false }, 0)
    const send = (outgoing: ReturnType<CheckList['poll']>) => {
      for (const { datagram, to } of outgoing) other.send(datagram, to)
    }
    other.onDatagram = (datagram, address, port) => {
      if (lets({ address, port })) send(list.receive(datagram, { address, port }, performance.now()))
    }
    const timer = setInterval(() => send(list.poll(performance.now())), 10)
    later({ close: () => clearInterval(timer) })
  }
})

async function failure(run: Promise<unknown>): Promise<Error> {
  try {
    await run
  } catch (error) {
    return error as Error
  }
  throw new Error('it was to fail')
}

test('two ends that hear each other are done at once, on the socket that was given', async ({
  socket,
  other,
  options,
  answer,
}) => {
  answer()
  const punched = await punch(socket, options)
  assert.is(punched.socket, socket)
  assert.is(punched.nominated.port, other.local.port)
  assert.is(punched.stats.sprayed, 0)
})

test('behind a symmetric NAT another socket may win; it is given back, and all others are closed', async ({
  socket,
  options,
  answer,
}) => {
  const openFiles = () => readdirSync('/proc/self/fd').length
  const seen = new Set<number>()
  answer(({ port }) => seen.add(port).size > 10 && port !== socket.local.port)
  const before = openFiles()
  const punched = await punch(socket, { ...options, mapping: { local: hard, remote: easy } })
  assert.is.not(punched.socket, socket)
  assert.is.not(punched.socket.local.port, socket.local.port)
  assert.ok(punched.stats.sprayed > 0)
  await until(() => openFiles() === before, 'one socket in place of the other')
  punched.socket.close()
})

test('when nothing comes back the socket stays the caller’s, and the error says what was sent', async ({
  socket,
  other,
  options,
}) => {
  const error = await failure(punch(socket, { ...options, limitMs: 200 }))
  assert.instance(error, PunchError)
  assert.match(error.message, /within 0.2 s: sent \d+ checks, heard 0/)
  assert.not.match(error.message, address)
  assert.equal((error as PunchError).failure.candidates, options.candidates)
  const heard = new Promise<void>(resolve => {
    other.onDatagram = () => resolve()
  })
  socket.send(Buffer.from('x'), options.candidates[0]!)
  await heard
})

test('to what may be no peer nothing is sent', async ({ socket, other, options }) => {
  let heard = 0
  other.onDatagram = () => heard++
  const admission = { mapped: { address: '1.1.1.1', port: 4500 } }
  const error = await failure(punch(socket, { ...options, admission }))
  assert.instance(error, CandidateError)
  const never = [{ address: '255.255.255.255', port: other.local.port }]
  assert.instance(await failure(punch(socket, { ...options, candidates: never })), CandidateError)
  socket.send(Buffer.from('x'), options.candidates[0]!)
  await until(() => heard > 0, 'the datagram that is sent here')
  assert.is(heard, 1)
})

test('an abort ends it with its own reason', async ({ socket, options }) => {
  const stop = new AbortController()
  const running = failure(punch(socket, { ...options, signal: stop.signal }))
  stop.abort(new Error('enough'))
  assert.is((await running).message, 'enough')
  assert.is((await failure(punch(socket, { ...options, signal: stop.signal }))).message, 'enough')
})

const silent = {
  checksSent: 9,
  sprayed: 0,
  checksReceived: 0,
  responsesReceived: 0,
  forged: 0,
  peerReflexive: 0,
}
const cases: {
  code: PunchErrorCode
  mapping: [Behaviour, Behaviour]
  stats?: Partial<typeof silent>
  sockets?: number
  matches: string[]
}[] = [
  {
    code: 'E_PUNCH_TWO_HARD_NATS',
    mapping: [hard, 'address-and-port-dependent'],
    matches: ['both sides are behind a symmetric NAT', 'Try another network'],
  },
  {
    code: 'E_PUNCH_HARD_NAT',
    mapping: [hard, easy],
    stats: { sprayed: 2048 },
    sockets: 256,
    matches: ['from 256 sockets', 'the NAT on this side is symmetric', '2048 checks', 'Try another network'],
  },
  {
    code: 'E_PUNCH_HARD_NAT',
    mapping: [easy, hard],
    stats: { sprayed: 2048 },
    matches: ['2048 of them to ports at random', 'on the other side is symmetric', '99.97 %'],
  },
  {
    code: 'E_PUNCH_TIMEOUT',
    mapping: ['unknown', easy],
    matches: ['symmetric NAT', 'too few STUN servers', 'UDP is blocked'],
  },
  {
    code: 'E_PUNCH_TIMEOUT',
    mapping: [easy, easy],
    matches: ['neither NAT maps by destination', 'firewall'],
  },
  {
    code: 'E_PUNCH_ONE_WAY',
    mapping: [easy, easy],
    stats: { checksReceived: 4 },
    matches: ['heard 4 checks', 'lets nothing in'],
  },
  {
    code: 'E_PUNCH_LOSS',
    mapping: [hard, hard],
    stats: { checksReceived: 4, responsesReceived: 1 },
    matches: ['packet loss'],
  },
  { code: 'E_PUNCH_UNAUTHENTIC', mapping: [easy, easy], stats: { forged: 3 }, matches: ['not authentic'] },
]
for (const { code, mapping, stats, sockets = 1, matches } of cases)
  test(`the error points to what the counts say: ${code}, ${mapping.join(' and ')}`, () => {
    const [local, remote] = mapping
    const error = new PunchError({
      candidates: [{ address, port: 1 }],
      stats: { ...silent, ...stats },
      sockets,
      mapping: { local, remote },
      limitMs: 10_000,
    })
    assert.is(error.code, code)
    for (const part of matches) assert.match(`${error.message}. ${error.hint}`, part)
  })

test.run()
