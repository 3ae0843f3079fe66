import { constants, createMessage, decode } from 'stun'
import type { Endpoint } from '../../net/endpoint.ts'
import { isAuthentic } from './integrity.ts'

const headerLength = 20
const magicCookie = 0x2112a442

/** A connectivity check's credentials: `username` is `remote:local` fragments, `password` the remote side's (RFC 8445, 7.2.2). */
export interface CheckRequest {
  username: string
  password: string
  /** Of the peer-reflexive candidate that may be learnt from it (RFC 8445, section 7.1.1). */
  priority: number
  /** The client of the tunnel is controlling: it nominates. */
  controlling: boolean
  tieBreaker: Buffer
  /** USE-CANDIDATE: this pair is nominated (RFC 8445, 8.1.1). */
  nominate: boolean
}

/** What this project reads of a STUN Binding message. */
export interface StunMessage {
  kind: 'request' | 'success' | 'error'
  /** 24 hexadecimal digits. */
  transactionId: string
  mapped: Endpoint | undefined
  /** The server's other address and port (OTHER-ADDRESS; RFC 5780, section 7.4). */
  other: Endpoint | undefined
  username: string | undefined
  nominate: boolean
  /** True when FINGERPRINT is right and MESSAGE-INTEGRITY was made with this password (RFC 8489, 14.5 and 14.7). */
  authentic(password: string): boolean
}

/** Where a server is asked to answer from (CHANGE-REQUEST; RFC 5780, section 7.2). */
export type Change = 'port' | 'address-and-port'

/** A plain Binding request, as a STUN server answers it: the datagram and its transaction id. */
export function bindingRequest(change?: Change): { datagram: Buffer; transactionId: string } {
  const message = createMessage(constants.STUN_BINDING_REQUEST!)
  if (change) message.addAttribute(constants.STUN_ATTR_CHANGE_REQUEST!, changes[change])
  return { datagram: message.toBuffer(), transactionId: message.transactionId.toString('hex') }
}

/** A connectivity check (RFC 8445, section 7.2.2). */
export function checkRequest(check: CheckRequest): { datagram: Buffer; transactionId: string } {
  const message = createMessage(constants.STUN_BINDING_REQUEST!)
  message.addUsername(check.username)
  message.addPriority(check.priority)
  if (check.controlling) message.addIceControlling(check.tieBreaker)
  else message.addIceControlled(check.tieBreaker)
  if (check.nominate) message.addUseCandidate()
  message.addMessageIntegrity(check.password)
  message.addFingerprint()
  return { datagram: message.toBuffer(), transactionId: message.transactionId.toString('hex') }
}

/** The answer to a check: the source it came from, under the password it was made with (RFC 8445, 7.3.1.1). */
export function checkResponse(transactionId: string, mapped: Endpoint, password: string): Buffer {
  const message = createMessage(constants.STUN_BINDING_RESPONSE!, Buffer.from(transactionId, 'hex'))
  message.addXorAddress(mapped.address, mapped.port)
  message.addMessageIntegrity(password)
  message.addFingerprint()
  return message.toBuffer()
}

/**
 * Parses a Binding message, or gives undefined for anything else. The cheap look at the header comes
 * first, so that a flood of noise costs next to nothing.
 */
export function parseStun(datagram: Uint8Array): StunMessage | undefined {
  const buffer = Buffer.from(datagram.buffer, datagram.byteOffset, datagram.byteLength)
  if (buffer.length < headerLength || buffer.length % 4 !== 0) return undefined
  if (buffer.readUInt32BE(4) !== magicCookie || buffer.readUInt16BE(2) !== buffer.length - headerLength)
    return undefined
  const kind = kinds.get(buffer.readUInt16BE(0))
  if (!kind) return undefined
  try {
    // The socket's buffer is only lent, and the message is looked at again later.
    const copy = Buffer.from(buffer)
    const message = decode(copy)
    const mapped = message.getXorAddress() ?? message.getAddress()
    return {
      kind,
      transactionId: message.transactionId.toString('hex'),
      mapped: endpointOf(mapped),
      other: endpointOf(message.getAttribute(constants.STUN_ATTR_OTHER_ADDRESS!)?.value),
      username: message.getUsername(),
      nominate: message.hasAttribute(constants.STUN_ATTR_USE_CANDIDATE!),
      authentic: password => isAuthentic(copy, password),
    }
  } catch {
    return undefined
  }
}

/** The value of an address attribute, as the package gives it. */
export function endpointOf(value: unknown): Endpoint | undefined {
  if (typeof value !== 'object' || value === null || !('address' in value && 'port' in value))
    return undefined
  return { address: String(value.address), port: Number(value.port) }
}

// --- internal ---

/** The bits "change IP" and "change port" (RFC 5780, section 7.2). */
const changes: Record<Change, number> = { port: 0x2, 'address-and-port': 0x6 }

const kinds = new Map<number, StunMessage['kind']>([
  [constants.STUN_BINDING_REQUEST!, 'request'],
  [constants.STUN_BINDING_RESPONSE!, 'success'],
  [constants.STUN_BINDING_ERROR_RESPONSE!, 'error'],
])
