import type { Readable } from 'node:stream'

/** A longer line is cut in pieces, as CloudWatch cuts events of 256 kB. Characters. */
export const maxLineLength = 256 * 1024

/** Reads a stream's text line by line, the last one also without its end. */
export function readLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line.endsWith('\r') ? line.slice(0, -1) : line)
    for (; rest.length >= maxLineLength; rest = rest.slice(maxLineLength))
      onLine(rest.slice(0, maxLineLength))
  })
  stream.on('end', () => {
    if (rest !== '') onLine(rest)
  })
}
