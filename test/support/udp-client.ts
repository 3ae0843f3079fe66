import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect } from 'node:net'
import { encodeTarget, type Target } from '../../tunnel/session/frames/address.ts'
import { decodePacket, encodePacket } from '../../tunnel/session/frames/packet.ts'
import { reply } from '../../tunnel/session/frames/reply.ts'
import { patient } from './patience.ts'
import { SocksError } from './socks-client.ts'
import { until } from './until.ts'

// UDP through a SOCKS5 proxy (RFC 1928, section 7), and what stands at its far end.

export interface Received {
  host: string
  port: number
  data: Buffer
}

export interface Association {
  /** Where the proxy wants the packets. */
  relay: Target
  /** All that has come back. */
  received: Received[]
  /** Called for each packet as it comes. */
  onPacket: (packet: Received) => void
  send(target: Target, data: Uint8Array | string): void
  /** Sends these very bytes to the relay. */
  sendRaw(bytes: Uint8Array): void
  /** Resolves when the proxy has ended its TCP connection. */
  closed: Promise<unknown>
  /** Ends its TCP connection; resolves when the proxy has ended it too. */
  end(): Promise<void>
  close(): void
}

export interface AssociationOptions {
  /** Port of the proxy. */
  proxy: number
  host?: string
  /** The address that the request says packets will come from: one, or one made from the socket's port. */
  from?: Target | ((port: number) => Target)
  /** A user name to log in with; the password is an x. */
  user?: string
  limitMs?: number
}

/** Opens an association. Rejects with a SocksError when the proxy refuses. */
export async function udpAssociation(options: AssociationOptions): Promise<Association> {
  const { proxy, host = '127.0.0.1', from = { host: '0.0.0.0', port: 0 }, limitMs = 10_000 } = options
  const socket = largeSocket(host)
  socket.on('error', () => {})
  socket.bind(0, host)
  await once(socket, 'listening')
  const named = typeof from === 'function' ? from(socket.address().port) : from
  const control = connect({ host, port: proxy })
  control.on('error', () => {})
  const closed = new Promise(resolve => control.on('close', resolve))
  const name = Buffer.from(options.user ?? '')
  const login = Buffer.concat([Buffer.of(5, 1, 2, 1, name.length), name, Buffer.of(1, 0x78)])
  const greeting = options.user === undefined ? Buffer.of(5, 1, 0) : login
  control.write(Buffer.concat([greeting, Buffer.of(5, 3, 0), encodeTarget(named)]))
  // What the proxy says of the method, and of the login.
  const before = options.user === undefined ? 2 : 4
  const relay = await relayOf(control, before, limitMs).catch(error => {
    socket.close()
    throw error
  })
  const association: Association = {
    relay,
    closed,
    received: [],
    onPacket() {},
    send: (target, data) =>
      socket.send(udpRequest(target, Buffer.from(data)), relay.port, relay.host, () => {}),
    sendRaw: bytes => socket.send(bytes, relay.port, relay.host, () => {}),
    async end() {
      control.end()
      await closed
    },
    close() {
      control.destroy()
      socket.close()
    },
  }
  socket.on('message', message => {
    const { target, data } = decodePacket(message.subarray(3))
    const packet = { ...target, data: Buffer.from(data) }
    association.received.push(packet)
    association.onPacket(packet)
  })
  return association
}

/** A packet as the client sends it: RSV, FRAG, the target, the data. */
export const udpRequest = (target: Target, data: Uint8Array, fragment = 0): Buffer =>
  Buffer.concat([Buffer.of(0, 0, fragment), encodePacket({ target, data })])

export interface UdpServer {
  host: string
  port: number
  /** Who sent, one entry a packet. */
  from: RemoteInfo[]
  socket: UdpSocket
  close(): void
}

/** A UDP server of this machine that sends back what it gets. */
export async function udpEcho(host = '127.0.0.1'): Promise<UdpServer> {
  const socket = largeSocket(host)
  const from: RemoteInfo[] = []
  socket.on('message', (data, sender) => {
    from.push(sender)
    socket.send(data, sender.port, sender.address, () => {})
  })
  socket.bind(0, host)
  await once(socket, 'listening')
  return { host, port: socket.address().port, from, socket, close: () => socket.close() }
}

/** Waits until nobody has this port of 127.0.0.1: what comes there is refused then, which a connected socket is told. */
export async function vacated(port: number, what: string): Promise<void> {
  const probe = createSocket('udp4')
  let refused = false
  probe.on('error', () => {
    refused = true
  })
  probe.connect(port, '127.0.0.1')
  await once(probe, 'connect')
  const knock = setInterval(() => probe.send('anybody?', () => {}), 20)
  try {
    await until(() => refused, `the end of ${what}`)
  } finally {
    clearInterval(knock)
    probe.close()
  }
}

// --- internal ---

/** What it loses is not to be taken for the tunnel's loss. */
const largeSocket = (host: string) =>
  createSocket({ type: host.includes(':') ? 'udp6' : 'udp4', recvBufferSize: 4 * 1024 * 1024 })

/** Reads the method and the reply. */
function relayOf(control: ReturnType<typeof connect>, before: number, limitMs: number): Promise<Target> {
  return new Promise((resolve, reject) => {
    let heard: Buffer = Buffer.alloc(0)
    const fail = (message: string, code?: number) => {
      clearTimeout(timer)
      control.destroy()
      reject(new SocksError(code, message))
    }
    const timer = setTimeout(() => fail(`no reply within ${limitMs} ms`), patient(limitMs))
    const onClose = () => fail('the proxy hung up')
    const onData = (chunk: Buffer) => {
      heard = Buffer.concat([heard, chunk])
      const code = heard[before + 1]
      // A reply's shortest form.
      if (code === undefined || heard.length < before + 10) return
      if (code !== reply.succeeded) return fail(`SOCKS reply ${code}`, code)
      clearTimeout(timer)
      control.off('data', onData).off('close', onClose).resume()
      const { target } = decodePacket(heard.subarray(before + 3))
      resolve(target)
    }
    control.on('data', onData)
    control.on('close', onClose)
  })
}
