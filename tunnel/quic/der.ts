// DER (X.690), as far as a certificate of our own needs it. A library for all of it costs the function 8 MB and 20 ms of
// its start, to write one form that never changes.

/** A value with its tag and length; lengths of up to 65,535 bytes. */
function tagged(tag: number, ...parts: Uint8Array[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.of(tag, ...head), content])
}

export const sequence = (...parts: Uint8Array[]): Buffer => tagged(0x30, ...parts)
export const setOf = (...parts: Uint8Array[]): Buffer => tagged(0x31, ...parts)
export const explicit = (number: number, part: Uint8Array): Buffer => tagged(0xa0 | number, part)
export const utf8 = (text: string): Buffer => tagged(0x0c, Buffer.from(text))
/** Whole bytes: no bit of the last is unused. */
export const bitString = (bytes: Uint8Array): Buffer => tagged(0x03, Buffer.of(0), bytes)
/** A number in as few bytes as it takes, the first of them under 0x80. */
export const integer = (bytes: Uint8Array): Buffer => tagged(0x02, bytes)

/** An object identifier in its dotted form. */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return tagged(0x06, Buffer.from([first * 40 + second, ...rest].flatMap(base128)))
}

/** Milliseconds since 1970, to the second: UTCTime up to 2049, GeneralizedTime then (RFC 5280, section 4.1.2.5). */
export function time(ms: number): Buffer {
  const digits = `${new Date(ms).toISOString().slice(0, 19).replaceAll(/\D/g, '')}Z`
  return Number(digits.slice(0, 4)) < 2050
    ? tagged(0x17, Buffer.from(digits.slice(2)))
    : tagged(0x18, Buffer.from(digits))
}

// --- internal ---

/** Seven bits a byte, all but the last with the eighth set. */
function base128(number: number): number[] {
  const bytes = [number & 0x7f]
  for (let rest = number >> 7; rest > 0; rest >>= 7) bytes.unshift((rest & 0x7f) | 0x80)
  return bytes
}
