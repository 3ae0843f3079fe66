import { createHash, createHmac } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import type { Test } from 'uvu'
import type { TurnServerName } from '../../tunnel/nat/turn/uri.ts'
import type { Endpoint } from '../../tunnel/net/endpoint.ts'
import { closeAfterEach } from './close-after-each.ts'

// A TURN server that answers as a test tells it to, where the real one would be honest.

export const lyingLogin = { username: 'someone', password: 'hunter2' }
const realm = Buffer.from('realm')
const key = createHash('md5').update(`${lyingLogin.username}:realm:${lyingLogin.password}`).digest()
const magicCookie = 0x2112a442

export const requestTypes = { allocate: 0x003, refresh: 0x004, createPermission: 0x008, channelBind: 0x009 }

export interface TurnRequest {
  type: number
  /** As sent. */
  message: Buffer
  isSigned: boolean
  peers: number
  lifetimeS: number | undefined
}

/** An attribute of STUN's, padded. */
export function attribute(type: number, value: Uint8Array): Buffer {
  const head = Buffer.alloc(4)
  head.writeUInt16BE(type, 0)
  head.writeUInt16BE(value.length, 2)
  return Buffer.concat([head, value, Buffer.alloc(-value.length & 3)])
}

export const lifetime = (seconds: number): Buffer => {
  const value = Buffer.alloc(4)
  value.writeUInt32BE(seconds)
  return attribute(0x000d, value)
}

export function relayedAddress({ address, port }: Endpoint): Buffer {
  const value = Buffer.alloc(8)
  value[1] = 1
  value.writeUInt16BE(port ^ (magicCookie >>> 16), 2)
  value.writeUInt32BE((Buffer.from(address.split('.').map(Number)).readUInt32BE(0) ^ magicCookie) >>> 0, 4)
  return attribute(0x0016, value)
}

/** 2001:db8::1's like, by whatever the mask makes of it. */
export const relayedAddress6: Buffer = attribute(
  0x0016,
  Buffer.concat([Buffer.of(0, 2, 1, 1), Buffer.alloc(16, 7)]),
)

export const refusedWith = (code: number, nonce: Uint8Array = Buffer.from('nonce')): Buffer[] => [
  attribute(0x0009, Buffer.concat([Buffer.of(0, 0, Math.floor(code / 100), code % 100), Buffer.from('no')])),
  attribute(0x0014, realm),
  attribute(0x0015, nonce),
]

/** What the server says to a request that is signed: an error or a success of these attributes, or nothing. */
export type Reply = { error?: Buffer[]; success?: Buffer[] } | undefined

/** An address that is lent, and an allocation of it for as long as servers grant one. */
export const lent = relayedAddress({ address: '203.0.113.9', port: 4_000 })
export const granted: Reply = { success: [lent, lifetime(600)] }

/** The bytes of a reply; a success is signed. */
function encode(request: Buffer, reply: { error?: Buffer[]; success?: Buffer[] }): Buffer {
  const body = Buffer.concat(reply.error ?? reply.success ?? [])
  const head = Buffer.alloc(8)
  head.writeUInt16BE(request.readUInt16BE(0) | (reply.error ? 0x110 : 0x100), 0)
  head.writeUInt16BE(body.length + (reply.error ? 0 : 24), 2)
  head.writeUInt32BE(magicCookie, 4)
  const message = Buffer.concat([head, request.subarray(8, 20), body])
  if (reply.error) return message
  return Buffer.concat([message, attribute(0x0008, createHmac('sha1', key).update(message).digest())])
}

export interface LyingTurnServer {
  name: TurnServerName
  requests: TurnRequest[]
  /** Connections, over TCP. */
  connections: Socket[]
  close(): void
}

async function startLyingTurnServer(
  transport: 'udp' | 'tcp',
  answer: (request: TurnRequest) => Reply,
): Promise<LyingTurnServer> {
  const requests: TurnRequest[] = []
  const connections: Socket[] = []
  const reply = (message: Buffer): Buffer | undefined => {
    const request = read(message)
    requests.push(request)
    const says = request.isSigned ? answer(request) : { error: refusedWith(401) }
    return says && encode(message, says)
  }
  const name = (port: number) => ({ host: '127.0.0.1', port, transport })
  if (transport === 'udp') {
    const socket = createSocket('udp4').bind(0, '127.0.0.1')
    await once(socket, 'listening')
    // A client that has gone.
    socket.on('error', () => {})
    socket.on('message', (message, from) => {
      const says = reply(message)
      if (says) socket.send(says, from.port, from.address)
    })
    return { name: name(socket.address().port), requests, connections, close: () => socket.close() }
  }
  const server = createServer({ allowHalfOpen: true }, socket => {
    connections.push(socket)
    let pending = Buffer.alloc(0)
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk])
      for (;;) {
        const length = pending.length < 4 ? Infinity : pending.readUInt16BE(2) + 20
        if (pending.length < length) break
        const message = Buffer.from(pending.subarray(0, length))
        pending = pending.subarray(length)
        // Of indications it reads nothing.
        const says = message[1] === 0x16 ? undefined : reply(message)
        if (says) socket.write(says)
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const close = () => {
    for (const socket of connections) socket.destroy()
    server.close()
  }
  return { name: name(port), requests, connections, close }
}

/** For a suite: starts servers that are closed after each test, and `later` closes what is given to it before them. */
export function lyingTurnServers<Context>(test: Test<Context>) {
  const later = closeAfterEach(test)
  const start = async (transport: 'udp' | 'tcp', answer: (request: TurnRequest) => Reply) =>
    later(await startLyingTurnServer(transport, answer))
  return { start, later }
}

// --- internal ---

function read(message: Buffer): TurnRequest {
  const request: TurnRequest = {
    type: message.readUInt16BE(0),
    message: Buffer.from(message),
    isSigned: false,
    peers: 0,
    lifetimeS: undefined,
  }
  for (let at = 20; at + 4 <= message.length; ) {
    const [type, length] = [message.readUInt16BE(at), message.readUInt16BE(at + 2)]
    if (type === 0x0008) request.isSigned = true
    if (type === 0x0012) request.peers++
    if (type === 0x000d) request.lifetimeS = message.readUInt32BE(at + 4)
    at += 4 + length + (-length & 3)
  }
  return request
}
