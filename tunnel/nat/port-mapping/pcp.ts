import { randomBytes } from 'node:crypto'
import { askGateway } from './ask-gateway.ts'
import { lostByPcp, watchEpoch } from './epoch.ts'
import {
  checkedGrant,
  type FindRouter,
  type Gateway,
  type Grant,
  PortMappingError,
  type Router,
} from './router.ts'

// Port Control Protocol (RFC 6887): a header of 24 bytes, and for MAP a payload of 36.

const version = 2
const opcodes = { announce: 0, map: 1 } as const
const response = 0x80
/** Of the router's clock in an answer (section 7.2). */
const epochOffset = 8
const udp = 17
const headerLength = 24
const mapLength = headerLength + 36

/** Result codes that a person can do something about (section 7.4). */
const results = new Map([
  [1, 'it does not speak this version'],
  [2, 'it does not allow it'],
  [8, 'it has no room for it now'],
  [10, 'this machine has as many ports as it may have'],
  [11, 'it has no such port left'],
  [12, 'the address of this machine is not what the router sees: there is another NAT in between'],
])

/** One that answers ANNOUNCE (section 14.1) speaks it. */
export const findPcp: FindRouter = async (gateway, signal) => {
  const heeding = watchEpoch({ isLost: lostByPcp, offset: epochOffset, onLost: () => router.onLost?.() })
  // Renewal and removal are granted to whoever knows it (section 11.2).
  const nonce = randomBytes(12)
  const ask = (internalPort: number, externalPort: number, lifetimeS: number, signal: AbortSignal) =>
    askGateway(
      gateway,
      mapRequest(gateway, { nonce, internalPort, externalPort, lifetimeS }),
      heeding(answer => readMap(answer, nonce, internalPort)),
      signal,
    )
  const router: Router = {
    protocol: 'pcp',
    map: async ({ internalPort, externalPort, lifetimeS }, signal) =>
      checkedGrant(await ask(internalPort, externalPort, lifetimeS, signal)),
    async unmap({ internalPort }, signal) {
      await ask(internalPort, 0, 0, signal)
    },
  }
  await askGateway(gateway, announce(gateway), heeding(readAnnounce), signal)
  return router
}

export interface PcpMap {
  nonce: Buffer
  internalPort: number
  externalPort: number
  lifetimeS: number
}

/** A MAP request for UDP; a lifetime of 0 removes the mapping (section 11.1). */
export function mapRequest(
  gateway: Gateway,
  { nonce, internalPort, externalPort, lifetimeS }: PcpMap,
): Buffer {
  const request = Buffer.alloc(mapLength)
  header(gateway, opcodes.map, lifetimeS).copy(request)
  nonce.copy(request, headerLength)
  request[headerLength + 12] = udp
  request.writeUInt16BE(internalPort, headerLength + 16)
  request.writeUInt16BE(externalPort, headerLength + 18)
  mapped4('0.0.0.0').copy(request, headerLength + 20)
  return request
}

/** Reads the answer to a MAP request; undefined for what is none, a PortMappingError for a refusal. */
export function readMap(answer: Buffer, nonce: Buffer, internalPort: number): Grant | undefined {
  if (!isAnswer(answer, opcodes.map)) return undefined
  if (answer.length < mapLength) {
    refuse(answer)
    return undefined
  }
  const payload = answer.subarray(headerLength)
  if (!payload.subarray(0, 12).equals(nonce)) return undefined
  if (payload[12] !== udp || payload.readUInt16BE(16) !== internalPort) return undefined
  refuse(answer)
  const address = address4(payload.subarray(20, 36))
  const lifetimeS = answer.readUInt32BE(4)
  // What was removed has no address any more.
  return { external: { address: address ?? '0.0.0.0', port: payload.readUInt16BE(18) }, lifetimeS }
}

// --- internal ---

const announce = (gateway: Gateway) => header(gateway, opcodes.announce, 0)

function readAnnounce(answer: Buffer): true | undefined {
  if (!isAnswer(answer, opcodes.announce)) return undefined
  refuse(answer)
  return true
}

/** Version, opcode, lifetime, and the address that the router should see (section 7.1). */
function header({ localAddress }: Gateway, opcode: number, lifetimeS: number): Buffer {
  const bytes = Buffer.alloc(headerLength)
  bytes[0] = version
  bytes[1] = opcode
  bytes.writeUInt32BE(lifetimeS, 4)
  mapped4(localAddress).copy(bytes, 8)
  return bytes
}

/** A router that knows NAT-PMP alone answers in its own version, to any opcode (RFC 6886, section 3.5). */
function isAnswer(answer: Buffer, opcode: number): boolean {
  if (answer.length >= 4 && answer[0] === 0 && (answer[1]! & response) !== 0)
    throw new PortMappingError('E_PORT_MAPPING_REFUSED', 'the router speaks NAT-PMP only')
  return answer.length >= headerLength && answer[0] === version && answer[1] === (response | opcode)
}

function refuse(answer: Buffer): void {
  const code = answer[3]!
  if (code === 0) return
  throw new PortMappingError(
    'E_PORT_MAPPING_REFUSED',
    `the router refuses: ${results.get(code) ?? `PCP result ${code}`}`,
  )
}

/** An IPv4-mapped IPv6 address (RFC 4291, section 2.5.5.2). */
function mapped4(address: string): Buffer {
  const bytes = Buffer.alloc(16)
  bytes.fill(0xff, 10, 12)
  address.split('.').forEach((part, i) => {
    bytes[12 + i] = Number(part)
  })
  return bytes
}

function address4(bytes: Buffer): string | undefined {
  const isMapped = bytes.subarray(0, 12).equals(mapped4('0.0.0.0').subarray(0, 12))
  return isMapped ? bytes.subarray(12, 16).join('.') : undefined
}
