import { constants, type Stats } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemReason } from './system-error.ts'
import { UsageError } from './usage-error.ts'
import { notText, utf8Text } from './utf8-text.ts'

export interface ReadOptions {
  /** What the path is, as the beginning of a message: `the file of logins /etc/logins`. */
  subject: string
  /** A file with more is not read. Bytes. */
  maxBytes: number
  /** Limit for the whole read: a pipe or a device file may never end. Milliseconds. */
  limitMs?: number
  /** A pipe must have a writer within this time. Milliseconds. */
  writerLimitMs?: number
}

/** As readGivenFile, for what must be text: see `utf8Text`. */
export async function readGivenText(path: string, options: ReadOptions): Promise<string> {
  const text = utf8Text(await readGivenFile(path, options))
  if (text === undefined) throw new UsageError(`${options.subject} cannot be read: ${notText}`)
  return text
}

/**
 * Reads a file that a person names: a regular one, or a pipe, as /dev/stdin and a shell's `<(command)` are. It waits
 * for a pipe no longer than the limits say. Rejects with a UsageError, whose cause is the system's where it has one.
 */
export async function readGivenFile(path: string, options: ReadOptions): Promise<Buffer> {
  const { subject, maxBytes } = options
  const wrong = (reason: string, cause?: unknown) =>
    new UsageError(`${subject} cannot be read: ${reason}`, { cause })
  let handle: FileHandle | undefined
  try {
    const found = await stat(path)
    const kind = unreadable(found)
    if (kind) throw wrong(`it is ${kind}, not a regular file`)
    if (found.size > maxBytes) throw wrong(tooLarge(found.size, maxBytes))
    handle = await open(path, openFlags)
    return await readAll(handle, options, wrong)
  } catch (error) {
    throw error instanceof UsageError ? error : wrong(systemReason(error), error)
  } finally {
    // Where such a descriptor shares its flags with another it may still be reading: that is not waited for.
    void handle?.close().catch(() => {})
  }
}

// --- internal ---

/** Without waiting for who writes to a pipe; Windows has no such flag. */
const openFlags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)
const defaultLimitMs = 30_000
const defaultWriterLimitMs = 1_000
/** Between two reads of an empty pipe. Milliseconds. */
const lookMs = 20
const chunkBytes = 64 * 1024

/** Why a path is not read: it has no end, or cannot be opened. */
function unreadable(found: Stats): string | undefined {
  if (found.isCharacterDevice() || found.isBlockDevice()) return 'a device'
  return found.isSocket() ? 'a socket' : undefined
}

const tooLarge = (bytes: number | string, maxBytes: number) =>
  `it has ${bytes} bytes, and ${maxBytes} are the most`

async function readAll(
  handle: FileHandle,
  { maxBytes, limitMs = defaultLimitMs, writerLimitMs = defaultWriterLimitMs }: ReadOptions,
  wrong: (reason: string) => UsageError,
): Promise<Buffer> {
  const isPipe = (await handle.stat()).isFIFO()
  const begun = performance.now()
  const parts: Buffer[] = []
  let bytes = 0
  for (let hasWriter = !isPipe; ; ) {
    const bytesRead = await readSome(handle, parts)
    const ms = performance.now() - begun
    if (bytesRead === 0 && hasWriter) return Buffer.concat(parts)
    if (bytesRead !== 0) hasWriter = true
    if (!hasWriter && ms > writerLimitMs) throw wrong('it is a pipe that nobody writes to')
    if (ms > limitMs)
      throw wrong(`${isPipe ? 'it is a pipe that' : 'it'} has not ended in ${limitMs / 1_000} s`)
    bytes += bytesRead ?? 0
    if (bytes > maxBytes) throw wrong(tooLarge(`over ${maxBytes}`, maxBytes))
    if (!bytesRead) await sleep(lookMs)
  }
}

/** The number of bytes added: 0 at the end, undefined when none have arrived yet. */
async function readSome(handle: FileHandle, parts: Buffer[]): Promise<number | undefined> {
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(chunkBytes), 0, chunkBytes, null)
    if (bytesRead > 0) parts.push(buffer.subarray(0, bytesRead))
    return bytesRead
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return undefined
    throw error
  }
}
