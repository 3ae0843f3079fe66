import { askSecrets } from '../input/prompt.ts'
import { UsageError } from '../input/usage-error.ts'
import { notText, utf8Text } from '../input/utf8-text.ts'

/**
 * Asks the questions at a terminal, without echo, and gives the answers. Elsewhere gives the first line of the standard
 * input alone, or nothing where that is empty. Throws a UsageError for a line that cannot be a secret.
 */
export async function readSecrets(...questions: string[]): Promise<string[]> {
  if (process.stdin.isTTY) return askSecrets(...questions)
  const line = await firstLine(process.stdin)
  if (line === undefined) return []
  const text = utf8Text(line)
  if (text === undefined)
    throw new UsageError(`the password on the standard input cannot be used: ${notText}`)
  return [text.replace(/\r$/, '')]
}

// --- internal ---

/** A longer line is not a password. Bytes. */
const maxLineBytes = 64 * 1024

/** Undefined at the end of an empty input. */
async function firstLine(input: AsyncIterable<Buffer>): Promise<Buffer | undefined> {
  let line: Buffer | undefined
  for await (const chunk of input) {
    const end = chunk.indexOf('\n')
    line = Buffer.concat([line ?? Buffer.alloc(0), end < 0 ? chunk : chunk.subarray(0, end)])
    if (end >= 0) return line
    if (line.length > maxLineBytes) throw new UsageError('the first line of the standard input is too long')
  }
  return line
}
