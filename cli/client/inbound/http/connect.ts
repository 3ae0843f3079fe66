import type { IncomingMessage } from 'node:http'
import { closeAfterWrite } from '../../../../tunnel/net/close-after-write.ts'
import type { Connect } from '../../outbound/connect.ts'
import type { HttpClient } from './client.ts'
import { checkRequest, hasBody, parseAuthority } from './message.ts'
import { HttpProblem, problemBytes, problemOf } from './problem.ts'

const established = Buffer.from('HTTP/1.1 200 Connection established\r\n\r\n')

/** Serves a CONNECT (RFC 9110, section 9.3.6): from then on the bytes go past node:http. */
export async function httpConnect(
  request: IncomingMessage,
  head: Uint8Array,
  client: HttpClient,
  connect: Connect,
  login: () => string | undefined,
): Promise<void> {
  const conn = client.take(head)
  if (!conn) return
  try {
    checkRequest(request)
    // It has no content; what looks like some could be read as another request.
    if (hasBody(request)) throw new HttpProblem(400, 'CONNECT has no body')
    const target = parseAuthority(request.url ?? '')
    const connected = await connect(target, { user: login(), signal: client.signal })
    conn.write(established)
    connected.carry(conn)
  } catch (error) {
    closeAfterWrite(conn, problemBytes(problemOf(error, request.url)))
  }
}
