/** A header field as it was written: spelling, order and repetition stay. Text is Latin-1, a byte a character. */
export type Field = readonly [name: string, value: string]

/** All values of a field, in their order. `name` is in lower case. */
export const valuesOf = (fields: readonly Field[], name: string): string[] =>
  fields.filter(([each]) => each.toLowerCase() === name).map(([, value]) => value)

/** The members of a field that is a list (RFC 9110, section 5.6.1), in lower case. */
export const membersOf = (fields: readonly Field[], name: string): string[] =>
  valuesOf(fields, name)
    .flatMap(value => value.toLowerCase().split(','))
    .map(member => member.trim())
    .filter(member => member !== '')

/**
 * The fields that are for the other end: without those for one hop, and those that Connection names (RFC 9110, section
 * 7.6.1). No Via is added: it would tell every server what a person who uses a proxy of their own has not asked to be
 * told. Also left out is what `without` names.
 */
export function endToEnd(fields: readonly Field[], ...without: string[]): Field[] {
  const named = new Set(membersOf(fields, 'connection').filter(name => !framing.has(name)))
  return fields.filter(([name]) => {
    const lower = name.toLowerCase()
    return !oneHop.has(lower) && !named.has(lower) && !without.includes(lower)
  })
}

/** The fields that may stand in a trailer (RFC 9110, section 6.5.1): none that say where a message ends or goes. */
export const trailers = (fields: readonly Field[]): Field[] =>
  fields.filter(([name]) => !oneHop.has(name.toLowerCase()) && !framing.has(name.toLowerCase()))

/** Fields as they stand in a message, each with its CRLF. */
export const lines = (fields: readonly Field[]): string =>
  fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')

/** Where a message ends and where it goes is never for Connection to say, and never for a trailer. */
export const framing: ReadonlySet<string> = new Set([
  'content-length',
  'host',
  'trailer',
  'transfer-encoding',
])

// --- internal ---

const oneHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
])
