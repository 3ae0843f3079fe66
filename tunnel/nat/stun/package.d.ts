/** What this project uses of the `stun` package, which ships no types. */
declare module 'stun' {
  import type { RemoteInfo, Socket } from 'node:dgram'
  import type { EventEmitter } from 'node:events'

  export interface StunAddress {
    address: string
    port: number
    family: string
  }

  export class StunMessage {
    readonly type: number
    readonly transactionId: Buffer
    isLegacy(): boolean
    hasAttribute(type: number): boolean
    getAttribute(type: number): { readonly value: unknown } | undefined
  }

  export class StunRequest extends StunMessage {
    setType(type: number): void
    setTransactionId(id: Buffer): boolean
    addUsername(username: string): unknown
    addXorAddress(address: string, port: number): unknown
    addSoftware(software: string): unknown
    addAttribute(type: number, ...values: unknown[]): unknown
    addPriority(priority: number): unknown
    addUseCandidate(): unknown
    addIceControlled(tieBreaker: Buffer): unknown
    addIceControlling(tieBreaker: Buffer): unknown
    addMessageIntegrity(key: string): boolean
    addFingerprint(): boolean
    toBuffer(): Buffer
  }

  export class StunResponse extends StunMessage {
    getAddress(): StunAddress | undefined
    getXorAddress(): StunAddress | undefined
    getUsername(): string | undefined
  }

  export interface StunServer extends EventEmitter {
    listen(port: number, address: string, callback?: () => void): void
    send(message: StunRequest, port: number, address: string, callback?: (error?: Error) => void): boolean
    close(): void
    on(event: 'bindingRequest', listener: (request: StunResponse, from: RemoteInfo) => void): this
    on(event: 'error', listener: (error: Error) => void): this
    on(event: 'close' | 'listening', listener: () => void): this
  }

  export function createServer(options: { type: 'udp4' | 'udp6'; socket?: Socket }): StunServer
  export function createMessage(type: number, transactionId?: Buffer): StunRequest
  export function decode(message: Buffer): StunResponse
  export const constants: Record<string, number>
}
