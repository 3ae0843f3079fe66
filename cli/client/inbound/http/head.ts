import { type Field, framing } from './fields.ts'
import { MessageError, malformed } from './message-error.ts'
import type { PullConn } from './pull-conn.ts'

/** The start line of a message and its fields, as Latin-1 text: a byte a character. */
export interface Head {
  start: string
  fields: Field[]
}

export interface HeadOptions {
  /** Start line and fields together. Bytes. */
  maxBytes: number
  /**
   * For responses, of which every browser takes more than RFC 9112 allows: lines that end in a bare LF (section 2.2),
   * folded lines (5.2) and whitespace before the colon (5.1) are mended, and lines without a colon are left out, unless
   * they touch what says where the message ends. What goes on is written anew, and can be read in one way only.
   */
  lenient: boolean
}

/**
 * Reads a head, and leaves what follows it on the connection. Undefined when the connection ends before its first byte.
 * Throws a MessageError.
 */
export async function readHead(
  from: PullConn,
  { maxBytes, lenient }: HeadOptions,
): Promise<Head | undefined> {
  let bytes: Buffer = Buffer.alloc(0)
  for (;;) {
    const chunk = await from.read()
    if (!chunk) {
      if (bytes.length === 0) return undefined
      throw new MessageError('E_HTTP_TRUNCATED', 'the connection ended within the fields')
    }
    const searched = Math.max(0, bytes.length - 3)
    // Empty lines before a message are no message (RFC 9112, section 2.2).
    bytes = skipEmptyLines(Buffer.concat([bytes, chunk]))
    const end = endOfHead(bytes, searched)
    if ((end ?? bytes.length) > maxBytes)
      throw new MessageError(
        'E_HTTP_HEAD_TOO_LARGE',
        `the start line and fields have more than ${maxBytes} bytes`,
      )
    if (end === undefined) continue
    from.unread(bytes.subarray(end))
    return parseHead(bytes.subarray(0, end).toString('latin1'), lenient)
  }
}

/** Reads a field line without its line end. Throws a MessageError. */
export function parseField(line: string, lenient = false): Field {
  const colon = line.indexOf(':')
  if (colon < 0) throw malformed('a field line has no colon')
  const name = lenient ? line.slice(0, colon).trimEnd() : line.slice(0, colon)
  if (!isToken(name)) throw malformed('a field has no valid name')
  if (lenient && name.length < colon && framing.has(name.toLowerCase()))
    throw malformed(`there is whitespace behind the name ${name}`)
  const value = trimBlanks(line.slice(colon + 1))
  if (hasControl(value)) throw malformed(`the field ${name} has a control character`)
  return [name, value]
}

/** A method or a field's name (RFC 9110, section 5.6.2). */
export const isToken = (text: string): boolean => /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(text)

// --- internal ---

const LF = 0x0a
const CR = 0x0d

function skipEmptyLines(bytes: Buffer): Buffer {
  let at = 0
  while (bytes[at] === LF || (bytes[at] === CR && bytes[at + 1] === LF)) at += bytes[at] === LF ? 1 : 2
  return bytes.subarray(at)
}

/** Behind the first empty line, whichever way its line ends are written; undefined when there is none yet. */
function endOfHead(bytes: Buffer, from: number): number | undefined {
  for (let at = bytes.indexOf(LF, from); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at + 1] === LF) return at + 2
    if (bytes[at + 1] === CR && bytes[at + 2] === LF) return at + 3
  }
  return undefined
}

function parseHead(text: string, lenient: boolean): Head {
  // Behind the last line there is an empty one, and nothing behind that.
  const lines = text
    .split('\n')
    .slice(0, -1)
    .map(line => withoutEnd(line, lenient))
  const [start = '', ...rest] = unfolded(lines.slice(0, -1), lenient)
  if (hasControl(start)) throw malformed('the first line has a control character')
  const fields = rest.flatMap(line => {
    if (lenient && !line.includes(':')) return []
    return [parseField(line, lenient)]
  })
  return { start, fields }
}

function withoutEnd(line: string, lenient: boolean): string {
  if (line.endsWith('\r')) return line.slice(0, -1)
  if (lenient) return line
  throw malformed('a line ends in a bare LF')
}

/** Joins folded lines by a space (RFC 9112, section 5.2). */
function unfolded(lines: string[], lenient: boolean): string[] {
  const whole: string[] = []
  for (const line of lines) {
    if (line[0] !== ' ' && line[0] !== '\t') {
      whole.push(line)
      continue
    }
    const before = whole.pop()
    if (!lenient || before === undefined || whole.length === 0) throw malformed('a field line is folded')
    const name = before.slice(0, Math.max(0, before.indexOf(':'))).trim()
    if (framing.has(name.toLowerCase())) throw malformed(`the field ${name} is folded`)
    whole.push(`${before} ${trimBlanks(line)}`)
  }
  return whole
}

/** Neither NUL nor CR nor any other, but the tab (RFC 9110, section 5.5). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
const hasControl = (text: string) => /[\0-\x08\x0a-\x1f\x7f]/.test(text)

function trimBlanks(text: string): string {
  let [from, to] = [0, text.length]
  const isBlank = (at: number) => text[at] === ' ' || text[at] === '\t'
  while (from < to && isBlank(from)) from++
  while (to > from && isBlank(to - 1)) to--
  return text.slice(from, to)
}
