/** Why something cannot be read that `utf8Text` does not give, as the end of a sentence. */
export const notText = 'it is not text in UTF-8'

/**
 * The text that bytes are in UTF-8, without a byte order mark. Undefined for other bytes, and for UTF-16 and whatever
 * else has a NUL: read all the same, two passwords that differ in one letter of Latin-1 would be one.
 */
export function utf8Text(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return text.includes('\0') ? undefined : text
  } catch {
    return undefined
  }
}
