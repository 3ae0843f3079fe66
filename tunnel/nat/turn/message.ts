import { constants, createMessage, decode } from 'stun'
import type { Endpoint } from '../../net/endpoint.ts'
import { integrityLength, isSignedAt, macOf } from '../stun/integrity.ts'
import { endpointOf } from '../stun/message.ts'

// TURN's messages (RFC 8656), made and read by the `stun` package; integrity under long-term credentials is ours, since
// its key is bytes (RFC 8489, section 9.2.2).

export type Method = 'allocate' | 'refresh' | 'createPermission' | 'channelBind'

const methods: Record<Method, number> = {
  allocate: 0x003,
  refresh: 0x004,
  createPermission: 0x008,
  channelBind: 0x009,
}
const sendIndication = 0x0016
const dataIndication = 0x0017

/** What authenticates a request. */
export interface Authentication {
  username: string
  realm: Buffer
  nonce: Buffer
  key: Buffer
}

export interface RequestFields {
  lifetimeSeconds?: number | undefined
  peers?: readonly Endpoint[] | undefined
  channel?: number | undefined
}

const headerLength = 20
const udp = 17

/** A request: its bytes and transaction id, 24 hexadecimal digits. */
export function turnRequest(
  method: Method,
  { lifetimeSeconds, peers = [], channel }: RequestFields,
  by: Authentication | undefined,
): { message: Buffer; transactionId: string } {
  const request = createMessage(methods[method])
  if (method === 'allocate') request.addAttribute(constants.STUN_ATTR_REQUESTED_TRANSPORT!, (udp << 24) >>> 0)
  if (channel !== undefined) request.addAttribute(constants.STUN_ATTR_CHANNEL_NUMBER!, (channel << 16) >>> 0)
  if (lifetimeSeconds !== undefined) request.addAttribute(constants.STUN_ATTR_LIFETIME!, lifetimeSeconds)
  const transactionId = request.transactionId.toString('hex')
  if (by) {
    request.addAttribute(constants.STUN_ATTR_USERNAME!, Buffer.from(by.username))
    request.addAttribute(constants.STUN_ATTR_REALM!, by.realm)
    request.addAttribute(constants.STUN_ATTR_NONCE!, by.nonce)
  }
  let message = request.toBuffer()
  // The package keeps one attribute of a kind; a permission has one for each peer (RFC 8656, section 10.1).
  for (const peer of peers) message = withAttribute(message, constants.STUN_ATTR_XOR_PEER_ADDRESS!, xor(peer))
  return { message: by ? signed(message, by.key) : message, transactionId }
}

/** Carries a datagram to a peer (RFC 8656, section 11.1). */
export function sendTo(peer: Endpoint, datagram: Uint8Array): Buffer {
  const message = createMessage(sendIndication).toBuffer()
  const addressed = withAttribute(message, constants.STUN_ATTR_XOR_PEER_ADDRESS!, xor(peer))
  return withAttribute(addressed, constants.STUN_ATTR_DATA!, datagram)
}

/** What this client reads of what the server sends. */
export interface TurnMessage {
  kind: 'success' | 'error' | 'data'
  transactionId: string
  /** Of an error. */
  error: { code: number; reason: string } | undefined
  realm: Buffer | undefined
  nonce: Buffer | undefined
  relayed: Endpoint | undefined
  mapped: Endpoint | undefined
  peer: Endpoint | undefined
  data: Buffer | undefined
  lifetimeSeconds: number | undefined
  /** True when its MESSAGE-INTEGRITY was made with this key. */
  authentic(key: Buffer): boolean
}

/** Parses a response, or a Data indication; undefined for anything else. */
export function parseTurn(bytes: Uint8Array): TurnMessage | undefined {
  const message = Buffer.from(bytes)
  if (message.length < headerLength || message.readUInt16BE(2) !== message.length - headerLength)
    return undefined
  const type = message.readUInt16BE(0)
  const kind = type === dataIndication ? 'data' : kinds[type & 0x0110]
  if (!kind) return undefined
  try {
    const decoded = decode(message)
    const value = (attribute: number) => decoded.getAttribute(attribute)?.value
    const bytesOf = (attribute: number) => {
      const found = value(attribute)
      return Buffer.isBuffer(found) ? found : undefined
    }
    const lifetime = value(constants.STUN_ATTR_LIFETIME!)
    return {
      kind,
      transactionId: decoded.transactionId.toString('hex'),
      error: errorOf(value(constants.STUN_ATTR_ERROR_CODE!)),
      realm: bytesOf(constants.STUN_ATTR_REALM!),
      nonce: bytesOf(constants.STUN_ATTR_NONCE!),
      relayed: endpointOf(value(constants.STUN_ATTR_XOR_RELAYED_ADDRESS!)),
      mapped: endpointOf(value(constants.STUN_ATTR_XOR_MAPPED_ADDRESS!)),
      peer: endpointOf(value(constants.STUN_ATTR_XOR_PEER_ADDRESS!)),
      data: bytesOf(constants.STUN_ATTR_DATA!),
      lifetimeSeconds: typeof lifetime === 'number' ? lifetime : undefined,
      authentic: key => isSigned(message, key),
    }
  } catch {
    return undefined
  }
}

// --- internal ---

/** The class bits of a message's type (RFC 8489, section 5). */
const kinds: Partial<Record<number, 'success' | 'error'>> = { 256: 'success', 272: 'error' }

const magicCookie = 0x2112a442
const integrityType = 0x0008

/** An attribute behind the others, padded (RFC 8489, section 14). */
function withAttribute(message: Buffer, type: number, value: Uint8Array): Buffer {
  const padding = -value.length & 3
  const longer = Buffer.alloc(message.length + 4 + value.length + padding)
  message.copy(longer)
  longer.writeUInt16BE(longer.length - headerLength, 2)
  longer.writeUInt16BE(type, message.length)
  longer.writeUInt16BE(value.length, message.length + 2)
  longer.set(value, message.length + 4)
  return longer
}

/** An IPv4 address as XOR-PEER-ADDRESS has it (RFC 8489, section 14.2). */
function xor({ address, port }: Endpoint): Buffer {
  const value = Buffer.alloc(8)
  value[1] = 1
  value.writeUInt16BE(port ^ (magicCookie >>> 16), 2)
  const octets = Buffer.from(address.split('.').map(Number))
  value.writeUInt32BE((octets.readUInt32BE(0) ^ magicCookie) >>> 0, 4)
  return value
}

const signed = (message: Buffer, key: Buffer): Buffer =>
  withAttribute(message, integrityType, macOf(message, key))

/** What stands behind MESSAGE-INTEGRITY, a FINGERPRINT say, is not covered by it and not read by us. */
function isSigned(message: Buffer, key: Buffer): boolean {
  for (let at = headerLength; at + 4 <= message.length; ) {
    const length = message.readUInt16BE(at + 2)
    if (message.readUInt16BE(at) === integrityType) {
      if (length !== integrityLength - 4 || at + integrityLength > message.length) return false
      return isSignedAt(message, at, key)
    }
    at += 4 + length + (-length & 3)
  }
  return false
}

function errorOf(value: unknown): { code: number; reason: string } | undefined {
  if (typeof value !== 'object' || value === null || !('code' in value)) return undefined
  const { code, reason = '' } = value as { code: unknown; reason?: unknown }
  // coturn ends it as C does.
  return { code: Number(code), reason: String(reason).replace(/\0+$/, '') }
}
