import { askGateway } from './ask-gateway.ts'
import { lostByNatPmp, watchEpoch } from './epoch.ts'
import { checkedGrant, type FindRouter, PortMappingError, type Router } from './router.ts'

// NAT Port Mapping Protocol (RFC 6886): requests of 2 and 12 bytes, answers of 12 and 16.

const version = 0
const opcodes = { externalAddress: 0, mapUdp: 1 } as const
const response = 0x80
/** Of the router's clock in an answer (section 3.6). */
const epochOffset = 4

/** Result codes (section 3.5). */
const results = new Map([
  [1, 'it does not speak this version'],
  [2, 'it does not allow it: port mapping is off in its settings'],
  [3, 'it has no address itself yet'],
  [4, 'it has no room for it now'],
])

/** One that tells its outside address (section 3.2) speaks it. */
export const findNatPmp: FindRouter = async (gateway, signal) => {
  const heeding = watchEpoch({ isLost: lostByNatPmp, offset: epochOffset, onLost: () => router.onLost?.() })
  const externalAddress = (signal: AbortSignal) =>
    askGateway(gateway, Buffer.from([version, opcodes.externalAddress]), heeding(readAddress), signal)
  const ask = (internalPort: number, externalPort: number, lifetimeS: number, signal: AbortSignal) =>
    askGateway(
      gateway,
      mapRequest(internalPort, externalPort, lifetimeS),
      heeding(answer => readMap(answer, internalPort)),
      signal,
    )
  const router: Router = {
    protocol: 'nat-pmp',
    async map({ internalPort, externalPort, lifetimeS }, signal) {
      // Another than at first, it may be. Before the port is opened, so that none stays open where this fails.
      const address = await externalAddress(signal)
      const { port, lifetimeS: grantedS } = await ask(internalPort, externalPort, lifetimeS, signal)
      return checkedGrant({ external: { address, port }, lifetimeS: grantedS })
    },
    async unmap({ internalPort }, signal) {
      await ask(internalPort, 0, 0, signal)
    },
  }
  await externalAddress(signal)
  return router
}

/** A request to map UDP (section 3.3); outside port and lifetime 0 remove the mapping (section 3.4). */
export function mapRequest(internalPort: number, externalPort: number, lifetimeS: number): Buffer {
  const request = Buffer.alloc(12)
  request[1] = opcodes.mapUdp
  request.writeUInt16BE(internalPort, 4)
  request.writeUInt16BE(externalPort, 6)
  request.writeUInt32BE(lifetimeS, 8)
  return request
}

/** Reads the outside address; undefined for what is no such answer, a PortMappingError for a refusal. */
export function readAddress(answer: Buffer): string | undefined {
  if (!isAnswer(answer, opcodes.externalAddress) || answer.length < 12) return undefined
  return answer.subarray(8, 12).join('.')
}

/** Reads the answer to a request to map; undefined for what is none, a PortMappingError for a refusal. */
export function readMap(
  answer: Buffer,
  internalPort: number,
): { port: number; lifetimeS: number } | undefined {
  if (!isAnswer(answer, opcodes.mapUdp) || answer.length < 16) return undefined
  if (answer.readUInt16BE(8) !== internalPort) return undefined
  return { port: answer.readUInt16BE(10), lifetimeS: answer.readUInt32BE(12) }
}

// --- internal ---

function isAnswer(answer: Buffer, opcode: number): boolean {
  if (answer.length < 8 || answer[0] !== version || answer[1] !== (response | opcode)) return false
  const code = answer.readUInt16BE(2)
  if (code === 0) return true
  throw new PortMappingError(
    'E_PORT_MAPPING_REFUSED',
    `the router refuses: ${results.get(code) ?? `NAT-PMP result ${code}`}`,
  )
}
