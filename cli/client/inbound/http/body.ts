import { type Field, valuesOf } from './fields.ts'
import { parseField } from './head.ts'
import { MessageError, malformed } from './message-error.ts'
import type { PullConn } from './pull-conn.ts'

/** Where a message's content ends (RFC 9112, section 6.3). Bytes. */
export type Framing =
  | { kind: 'none' }
  | { kind: 'length'; length: number }
  | { kind: 'chunked' }
  /** A response's alone: it ends with the connection. */
  | { kind: 'close' }

/** What fields say of it; undefined when they say nothing. Throws a MessageError for what could be read in two ways. */
export function framingOf(fields: readonly Field[], lenient = false): Framing | undefined {
  const lengths = valuesOf(fields, 'content-length')
  const codings = valuesOf(fields, 'transfer-encoding').flatMap(value =>
    value.split(',').map(coding => coding.trim().toLowerCase()),
  )
  if (codings.length > 0) {
    if (lengths.length > 0) throw malformed('there are both Content-Length and Transfer-Encoding')
    if (codings.at(-1) !== 'chunked' || codings.indexOf('chunked') < codings.length - 1)
      throw malformed('Transfer-Encoding does not end in chunked')
    if (codings.length > 1)
      throw new MessageError('E_HTTP_CODING', 'the only transfer coding known here is chunked')
    return { kind: 'chunked' }
  }
  const [first, ...more] = lenient
    ? new Set(lengths.flatMap(value => value.split(',').map(each => each.trim())))
    : lengths
  if (first === undefined) return undefined
  if (more.length > 0) throw malformed('there is more than one Content-Length')
  if (!/^\d{1,15}$/.test(first)) throw malformed('Content-Length is no number')
  return { kind: 'length', length: Number(first) }
}

/**
 * The content of a message, piece by piece, each lent until the next is asked for; of chunks what they carry. What
 * follows the message stays on the connection. `onTrailers` is called with those of chunked content, before the end.
 * Throws a MessageError, or a BrokenError.
 */
export function readBody(
  from: PullConn,
  framing: Framing,
  onTrailers: (fields: Field[]) => void = () => {},
): AsyncGenerator<Uint8Array, undefined> {
  switch (framing.kind) {
    case 'none':
      return readLength(from, 0)
    case 'length':
      return readLength(from, framing.length)
    case 'chunked':
      return readChunked(from, onTrailers)
    case 'close':
      return readToEnd(from)
  }
}

// --- internal ---

/** The digits of a chunk's size, its extensions, and a trailer's fields. Bytes. */
const maxExtensions = 16 * 1024
const maxTrailers = 32 * 1024

async function* readLength(from: PullConn, length: number): AsyncGenerator<Uint8Array, undefined> {
  for (let left = length; left > 0; ) {
    const chunk = await next(from)
    if (chunk.length > left) from.unread(chunk.subarray(left))
    const piece = chunk.subarray(0, left)
    left -= piece.length
    yield piece
  }
}

async function* readToEnd(from: PullConn): AsyncGenerator<Uint8Array, undefined> {
  for (let chunk = await from.read(); chunk; chunk = await from.read()) yield chunk
}

/** RFC 9112, section 7.1. */
async function* readChunked(
  from: PullConn,
  onTrailers: (fields: Field[]) => void,
): AsyncGenerator<Uint8Array, undefined> {
  for (;;) {
    const size = chunkSize(await readLine(from, maxExtensions))
    if (size === 0) break
    yield* readLength(from, size)
    if ((await readLine(from, maxExtensions)) !== '') throw malformed('a chunk is longer than it says')
  }
  const trailers: Field[] = []
  let room = maxTrailers
  for (let line = await readLine(from, room); line !== ''; line = await readLine(from, room)) {
    room -= line.length
    const field = parseField(line)
    const name = field[0].toLowerCase()
    if (name === 'content-length' || name === 'transfer-encoding')
      throw malformed(`${field[0]} stands in a trailer`)
    trailers.push(field)
  }
  onTrailers(trailers)
}

function chunkSize(line: string): number {
  const [, digits, rest] = /^([0-9a-f]+)(.*)$/is.exec(line) ?? []
  if (digits === undefined || (rest !== '' && !/^[ \t]*;/.test(rest!)))
    throw malformed('a chunk has no valid size')
  const size = Number.parseInt(digits, 16)
  if (digits.length > 16 || !Number.isSafeInteger(size)) throw malformed('a chunk is too large')
  return size
}

/** A line that must end in CRLF, without it. */
async function readLine(from: PullConn, maxBytes: number): Promise<string> {
  let line = ''
  for (;;) {
    const chunk = viewOf(await next(from))
    const end = chunk.indexOf(0x0a)
    line += chunk.toString('latin1', 0, end < 0 ? chunk.length : end)
    if (line.length > maxBytes)
      throw new MessageError('E_HTTP_EXTENSIONS_TOO_LARGE', 'the chunk extensions or trailers are too long')
    if (end < 0) continue
    from.unread(chunk.subarray(end + 1))
    if (!line.endsWith('\r')) throw malformed('a line of the content ends in a bare LF')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none may stand in such a line.
    if (/[\0-\x08\x0a-\x1f\x7f]/.test(line.slice(0, -1))) throw malformed('a chunk has a control character')
    return line.slice(0, -1)
  }
}

/** The same bytes, not a copy: what follows a line may be thousands of lines. */
const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array) => Buffer.from(buffer, byteOffset, byteLength)

async function next(from: PullConn): Promise<Uint8Array> {
  const chunk = await from.read()
  if (!chunk) throw new MessageError('E_HTTP_TRUNCATED', 'the connection ended within the content')
  return chunk
}
