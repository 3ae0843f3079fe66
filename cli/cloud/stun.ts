import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { constants, createMessage, createServer } from 'stun'
import { listenError } from '../input/listen-error.ts'

export interface LocalStun {
  readonly port: number
  close(): Promise<void>
}

/**
 * A STUN server on UDP: tells who asks what address and port the request came from (RFC 8489, Binding).
 * Whatever else arrives is dropped without an answer. Port 0 takes any that is free; throws a ListenError
 * when the port cannot be had.
 */
export async function startStun(host: string, port: number): Promise<LocalStun> {
  const socket = createSocket('udp4')
  const server = createServer({ type: 'udp4', socket })
  // Malformed messages and error responses: on a public port they are ordinary.
  server.on('error', () => {})
  server.on('bindingRequest', (request, from) => {
    // The package calls every class-0 method a Binding request, and takes RFC 3489's form, which has no cookie.
    if (request.type !== constants.STUN_BINDING_REQUEST || request.isLegacy()) return
    const response = createMessage(constants.STUN_BINDING_RESPONSE!, request.transactionId)
    response.addXorAddress(from.address, from.port)
    server.send(response, from.port, from.address)
  })

  socket.bind({ port, address: host, exclusive: true })
  try {
    await once(socket, 'listening')
  } catch (error) {
    throw listenError(error, 'STUN', { host, port })
  }
  // From here on an error belongs to one answer (an unreachable address), not to the server.
  socket.on('error', () => {})

  return {
    port: socket.address().port,
    async close() {
      server.close()
      await new Promise<void>(resolve => socket.close(resolve))
    },
  }
}
