import { relay } from '../../../../tunnel/session/relay.ts'
import type { Requester } from '../../outbound/outbound.ts'
import { readBody } from './body.ts'
import { endToEnd, type Field, lines, trailers, valuesOf } from './fields.ts'
import { readHead } from './head.ts'
import { MessageError } from './message-error.ts'
import { close, type Origin, type Origins } from './origins.ts'
import { failed, type HttpProblem, problemOf, requestProblem } from './problem.ts'
import { BrokenError, type PullConn } from './pull-conn.ts'
import { type Destination, hasBody, type Request } from './request.ts'
import { parseResponse, type Response } from './response.ts'

export interface Exchange {
  client: PullConn
  request: Request
  destination: Destination
  requester: Requester
  origins: Origins
  silence: SilenceLimits
}

/** When an exchange over which nobody says anything is given up. Milliseconds. */
export interface SilenceLimits {
  /** While the client may still be there. */
  openMs: number
  /**
   * Once the client has ended its side: it may have gone away, and only a write of ours would tell. One that
   * half-closes after its request still gets an answer that comes in this time.
   */
  endedMs: number
}

export const silenceLimits: SilenceLimits = { openMs: 300_000, endedMs: 30_000 }

/**
 * What becomes of the client's connection: another request may follow, it ends, it is cut off in the middle of a
 * response, or it belongs to a WebSocket now.
 */
export type Outcome = 'next' | 'last' | 'cut' | 'taken'

/** Start line and fields of a response; servers send more than clients do. Bytes. */
const maxHeadBytes = 64 * 1024
/** Responses before the final one (RFC 9110, section 15.2). */
const maxInterim = 16
/** Requests that do the same when they are done twice (RFC 9110, section 9.2.2). */
const repeatable = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Passes a request on and the response back, each part as it comes and no faster than the other end takes it: content,
 * trailers, interim responses, and what follows an upgrade. Throws an HttpProblem while nothing has been answered.
 */
export async function forward(exchange: Exchange): Promise<Outcome> {
  for (let reuse = true; ; reuse = false) {
    const attempt = new Attempt(exchange)
    try {
      return await attempt.run(reuse)
    } catch (error) {
      if (attempt.answered) return 'cut'
      // A kept connection may end at the very moment it is used again: the server has seen nothing.
      if (attempt.metCloseRace(error)) continue
      throw problemOf(error, exchange.destination.authority)
    }
  }
}

// --- internal ---

class Attempt {
  /** Bytes of the final response are on their way to the client. */
  answered = false
  readonly #exchange: Exchange
  #origin: Origin | undefined
  /** Bytes of the server's have come. */
  #heard = false
  /** What was wrong with the request's content. */
  #fault: HttpProblem | undefined
  #requestSent = false
  #over = false
  #silent = false
  #silenceMs = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(exchange: Exchange) {
    this.#exchange = exchange
  }

  async run(reuse: boolean): Promise<Outcome> {
    const { destination, requester, origins, silence } = this.#exchange
    const origin = await origins.take(destination, requester, reuse)
    this.#origin = origin
    const cut = () => origin.pull.conn.abort(0)
    requester.signal.addEventListener('abort', cut)
    this.#allowSilence(silence.openMs)
    try {
      if (requester.signal.aborted) throw new BrokenError()
      void this.#sendRequest(origin)
      return await this.#passBack(origin)
    } catch (error) {
      cut()
      if (this.#silent)
        throw failed(
          504,
          'connection_read_timeout',
          `${destination.authority} has said nothing for ${this.#silenceMs / 1000} s`,
        )
      throw this.#fault ?? error
    } finally {
      this.#over = true
      clearTimeout(this.#timer)
      this.#exchange.client.watch(undefined)
      requester.signal.removeEventListener('abort', cut)
    }
  }

  metCloseRace(error: unknown): boolean {
    const { request, requester } = this.#exchange
    const ended =
      error instanceof BrokenError || (error instanceof MessageError && error.code === 'E_HTTP_TRUNCATED')
    return (
      ended &&
      this.#origin?.reused === true &&
      !this.#heard &&
      !requester.signal.aborted &&
      repeatable.has(request.method) &&
      !hasBody(request)
    )
  }

  /** Cuts the exchange when neither end says anything for so many milliseconds from now on. */
  #allowSilence(ms: number): void {
    clearTimeout(this.#timer)
    this.#silenceMs = ms
    this.#timer = setTimeout(() => {
      this.#silent = true
      this.#origin?.pull.conn.abort(0)
    }, ms)
  }

  #alive(): void {
    this.#timer?.refresh()
  }

  /** Sends head and content. A server that is gone takes them and loses them: what it has said is still read. */
  async #sendRequest({ pull }: Origin): Promise<void> {
    const { request, client } = this.#exchange
    const chunked = request.framing.kind === 'chunked'
    try {
      await pull.write(Buffer.from(requestHead(this.#exchange), 'latin1'))
      let fields: Field[] = []
      for await (const piece of readBody(client, request.framing, found => {
        fields = found
      })) {
        this.#alive()
        await pull.write(chunked ? asChunk(piece) : piece)
      }
      if (chunked) await pull.write(lastChunk(fields))
      this.#requestSent = true
      this.#watchClient(client)
    } catch (error) {
      if (error instanceof MessageError) this.#fault = requestProblem(error)
      // The server cannot make sense of half a request.
      pull.conn.abort(0)
    }
  }

  /** From now on nobody reads the client: a request sent ahead waits, and an end shortens the wait. */
  #watchClient(client: PullConn): void {
    if (this.#over) return
    const ended = () => client.hasEnded && this.#allowSilence(this.#exchange.silence.endedMs)
    if (client.isReadable) ended()
    else client.watch(ended)
  }

  async #passBack(origin: Origin): Promise<Outcome> {
    const { request, client, origins } = this.#exchange
    const response = await this.#finalResponse(origin)
    origin.connected.answered(response.status)
    if (response.status === 101) return this.#switchOver(origin, response)
    const chunked = response.framing.kind === 'chunked' || response.framing.kind === 'close'
    const rechunked = chunked && request.version === '1.1'
    // A client of HTTP/1.0 sees the end of content without a length in the end of the connection.
    const keepsAlive = request.keepsAlive && (!chunked || rechunked)
    const last = !keepsAlive || !this.#requestSent
    this.answered = true
    await client.write(Buffer.from(responseHead(response, { chunked: rechunked, last, request }), 'latin1'))
    let fields: Field[] = []
    for await (const piece of readBody(origin.pull, response.framing, found => {
      fields = trailers(found)
    })) {
      this.#alive()
      await client.write(rechunked ? asChunk(piece) : piece)
    }
    if (rechunked) await client.write(lastChunk(fields))
    if (response.keepsAlive && response.framing.kind !== 'close' && this.#requestSent) origins.give(origin)
    else close(origin)
    return last || !this.#requestSent ? 'last' : 'next'
  }

  /** Passes interim responses on, and gives the one that answers the request. */
  async #finalResponse({ pull }: Origin): Promise<Response> {
    const { request, client } = this.#exchange
    for (let interims = 0; ; interims++) {
      const head = await readHead(pull, { maxBytes: maxHeadBytes, lenient: true })
      if (!head) throw new MessageError('E_HTTP_TRUNCATED', 'the connection ended before a response')
      this.#heard = true
      this.#alive()
      const response = parseResponse(head, request.method)
      if (response.status >= 200) return response
      if (response.status === 101) {
        // What is left of content in chunks would go on with another framing than it came in.
        if (request.wantsWebSocket && response.switchesToWebSocket && this.#requestSent) return response
        throw failed(
          502,
          'http_upgrade_failed',
          `${this.#exchange.destination.authority} switches to a protocol that was not asked for`,
        )
      }
      if (interims === maxInterim)
        throw failed(
          502,
          'http_protocol_error',
          `${this.#exchange.destination.authority} sends more than ${maxInterim} interim responses`,
        )
      if (request.version === '1.1') await client.write(Buffer.from(interimHead(response), 'latin1'))
    }
  }

  /** The server has agreed to an upgrade: its answer goes back, and then whatever either says. */
  async #switchOver({ pull }: Origin, response: Response): Promise<Outcome> {
    const { client } = this.#exchange
    this.answered = true
    await client.write(
      Buffer.from(interimHead(response, 'Connection: Upgrade\r\nUpgrade: websocket\r\n'), 'latin1'),
    )
    relay(client.release(), pull.release())
    return 'taken'
  }
}

function requestHead({ request, destination }: Exchange): string {
  const chunked = request.framing.kind === 'chunked'
  const fields = endToEnd(request.fields, 'host', ...trailerUnless(chunked))
  const { authorization } = destination
  const more: Field[] = []
  if (authorization !== undefined && valuesOf(fields, 'authorization').length === 0)
    more.push(['Authorization', authorization])
  // The content's own framing, said anew.
  if (chunked) more.push(['Transfer-Encoding', 'chunked'])
  more.push(...(request.wantsWebSocket ? upgradeFields : [['Connection', 'keep-alive'] as const]))
  return `${request.method} ${destination.path} HTTP/1.1\r\n${lines([['Host', destination.authority], ...fields, ...more])}\r\n`
}

const upgradeFields: Field[] = [
  ['Connection', 'Upgrade'],
  ['Upgrade', 'websocket'],
]

interface HeadOptions {
  chunked: boolean
  last: boolean
  request: Request
}

function responseHead({ status, reason, fields }: Response, { chunked, last, request }: HeadOptions): string {
  // Without content, a length or coding says what the content would have had (RFC 9110, section 8.6).
  const coded = chunked || (request.method === 'HEAD' && valuesOf(fields, 'transfer-encoding').length > 0)
  const more: Field[] = []
  if (coded && request.version === '1.1') more.push(['Transfer-Encoding', 'chunked'])
  if (last) more.push(['Connection', 'close'])
  return `HTTP/1.1 ${status} ${reason}\r\n${lines([...oneLength(endToEnd(fields, ...trailerUnless(chunked))), ...more])}\r\n`
}

/** The same length said more than once is said once. */
function oneLength(fields: Field[]): Field[] {
  const [length] = valuesOf(fields, 'content-length').flatMap(value => value.split(','))
  let said = false
  return fields.flatMap(field => {
    if (field[0].toLowerCase() !== 'content-length') return [field]
    if (said) return []
    said = true
    return [[field[0], length!.trim()] as const]
  })
}

const interimHead = ({ status, reason, fields }: Response, more = ''): string =>
  `HTTP/1.1 ${status} ${reason}\r\n${more}${lines(endToEnd(fields))}\r\n`

/** Only chunked content has trailers that could be announced. */
const trailerUnless = (chunked: boolean) => (chunked ? [] : ['trailer'])

const lineEnd = Buffer.from('\r\n')

const asChunk = (piece: Uint8Array): Uint8Array =>
  Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, lineEnd])

const lastChunk = (fields: readonly Field[]): Uint8Array => Buffer.from(`0\r\n${lines(fields)}\r\n`, 'latin1')
