import { printable } from '../../tunnel/net/printable.ts'

/** Longer than this a line is cut off: a stack trace fits. Characters. */
const maxLength = 4_000

/** What the function has logged, as a line that does nothing to the terminal. */
export const logLine = (text: string): string => printable(text, maxLength)
