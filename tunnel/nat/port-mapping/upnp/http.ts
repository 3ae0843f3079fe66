import { request } from 'node:http'
import { PortMappingError } from '../router.ts'

/** More than this no router says. Bytes. */
const longest = 128 * 1_024
/** Milliseconds for a request and its whole answer. */
const limitMs = 3_000

export interface HttpAnswer {
  status: number
  text: string
}

/**
 * A request to a router. By node:http: it follows no redirection, and asks no proxy, which fetch would be told to by
 * the environment. Rejects with a PortMappingError, or the signal's reason.
 */
export function askHttp(
  url: URL,
  { method = 'GET', headers = {}, body = '' }: { method?: string; headers?: object; body?: string },
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>()
  const failed = (why: string) => reject(new PortMappingError('E_PORT_MAPPING_MALFORMED', why))
  const over = AbortSignal.any([signal, AbortSignal.timeout(limitMs)])
  const end = () =>
    signal.aborted
      ? reject(signal.reason)
      : failed('the router’s UPnP server cannot be reached, or takes too long')
  over.addEventListener('abort', end, { once: true })
  const sent = request(url, {
    method,
    agent: false,
    signal: over,
    headers: { ...headers, 'content-length': Buffer.byteLength(body), connection: 'close' },
  })
  sent.on('error', end)
  sent.on('response', response => {
    const chunks: Buffer[] = []
    let length = 0
    response.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length <= longest) return void chunks.push(chunk)
      failed(`the router’s UPnP server says more than ${longest} bytes`)
      sent.destroy()
    })
    response.on('error', () => failed('the router’s UPnP server broke off'))
    response.on('end', () =>
      resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
    )
  })
  sent.end(body)
  return promise.finally(() => over.removeEventListener('abort', end))
}
