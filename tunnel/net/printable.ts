/** Control characters, line separators and marks that turn the direction of text round (Unicode's Bidi_Control). */
const unprintable = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu

/**
 * Text of somebody else's, fit for a terminal or a log: each character that would act rather than show becomes
 * U+FFFD, and what is longer than `maxLength` characters is cut off with an ellipsis.
 */
export function printable(text: string, maxLength = 500): string {
  const cut = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text
  return cut.replace(unprintable, '\ufffd')
}
