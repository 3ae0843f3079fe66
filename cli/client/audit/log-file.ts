import { closeSync, constants, writeSync } from 'node:fs'
import { type FileHandle, open, rename, stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

export interface LogFileOptions {
  path: string
  /** A file that would grow beyond this many bytes is set aside, and a new one begun. */
  maxBytes: number
  /** Files set aside that are kept, as `path.1` (the newest), `path.2`, … */
  keep: number
  /** After a failure the next try comes after this long. Milliseconds. */
  retryMs?: number
  /** It cannot be written (an error), or can be again (undefined); `lost` lines did not fit into memory meanwhile. */
  onState?: (error: unknown, lost: number) => void
}

/** Only its owner reads it. */
const mode = 0o600
/** What waits for a file that cannot be written; more is lost, the oldest first. Bytes. */
const maxWaiting = 8 * 1024 * 1024
const maxBatch = 256 * 1024
const defaultRetryMs = 5_000
/** Non-blocking: a pipe may have no reader, or be full. Windows has no such flag. */
const openFlags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | (constants.O_NONBLOCK ?? 0)
/** A pipe that stays full for this long has failed; it is tried again at this interval. Milliseconds. */
const fullLimitMs = 1_000
const fullLookMs = 10

/**
 * A file of lines that is only ever added to, beside the event loop, in their order and whole. Another program may set
 * it aside as well: the file of that name is the one that is written.
 */
export class LogFile {
  readonly #options: Required<LogFileOptions>
  readonly #waiting: string[] = []
  #waitingBytes = 0
  /** What is being written; its beginning may be in the file already. */
  #batch: Buffer | undefined
  /** Its beginning is in the file already. */
  #isBegun = false
  #handle: FileHandle | undefined
  #size = 0
  #isFile = true
  #failed = false
  #lost = 0
  #busy: Promise<void> | undefined
  #retry: ReturnType<typeof setTimeout> | undefined
  readonly #onExit = () => this.#writeAtOnce()

  private constructor(options: LogFileOptions) {
    this.#options = { retryMs: defaultRetryMs, onState() {}, ...options }
  }

  /** Rejects with the system's error when the file cannot be had. */
  static async open(options: LogFileOptions): Promise<LogFile> {
    const file = new LogFile(options)
    await file.#open()
    process.on('exit', file.#onExit)
    return file
  }

  /** It could not be written when that was last tried. */
  get failed(): boolean {
    return this.#failed
  }

  append(line: string): void {
    const text = `${line}\n`
    this.#waiting.push(text)
    this.#waitingBytes += text.length
    while (this.#waitingBytes > maxWaiting) {
      this.#waitingBytes -= this.#waiting.shift()!.length
      this.#lost++
    }
    if (!this.#failed) this.#start()
  }

  /** Writes what waits, once more where that failed before, and closes the file. */
  async close(): Promise<void> {
    clearTimeout(this.#retry)
    await this.#busy
    if (this.#batch || this.#waiting.length > 0) {
      this.#failed = false
      this.#start()
      await this.#busy
      clearTimeout(this.#retry)
    }
    process.off('exit', this.#onExit)
    await this.#handle?.close().catch(() => {})
    this.#handle = undefined
  }

  #start(): void {
    this.#busy ??= this.#write().finally(() => {
      this.#busy = undefined
    })
  }

  async #write(): Promise<void> {
    try {
      while (this.#batch || this.#waiting.length > 0) {
        this.#batch ??= this.#takeBatch()
        await this.#makeReady(this.#batch.length)
        while (this.#batch && this.#batch.length > 0) {
          const bytesWritten = await writeSome(this.#handle!, this.#batch)
          this.#size += bytesWritten
          this.#batch = this.#batch.subarray(bytesWritten)
          this.#isBegun = true
        }
        this.#batch = undefined
        this.#isBegun = false
      }
      if (!this.#failed) return
      this.#failed = false
      this.#options.onState(undefined, this.#lost)
      this.#lost = 0
    } catch (error) {
      this.#retry = setTimeout(() => this.#start(), this.#options.retryMs)
      this.#retry.unref()
      if (!this.#failed) this.#options.onState(error, 0)
      this.#failed = true
    }
  }

  #takeBatch(): Buffer {
    const lines: string[] = []
    const most = Math.min(maxBatch, this.#options.maxBytes)
    for (let bytes = 0; this.#waiting.length > 0; ) {
      if (bytes > 0 && bytes + Buffer.byteLength(this.#waiting[0]!) > most) break
      const line = this.#waiting.shift()!
      this.#waitingBytes -= line.length
      bytes += Buffer.byteLength(line)
      lines.push(line)
    }
    return Buffer.from(lines.join(''))
  }

  /** The file of that name is open, and has room for this many bytes. */
  async #makeReady(length: number): Promise<void> {
    if (!(await this.#isCurrent())) await this.#open()
    // A device such as /dev/stdout has no size, and no other name.
    if (!this.#isFile || this.#size === 0 || this.#size + length <= this.#options.maxBytes) return
    await this.#rotate()
    await this.#open()
  }

  async #isCurrent(): Promise<boolean> {
    if (!this.#handle) return false
    if (process.platform === 'win32') return true
    const [ours, there] = await Promise.all([
      this.#handle.stat(),
      stat(this.#options.path).catch(() => undefined),
    ])
    return ours.ino === there?.ino && ours.dev === there.dev
  }

  async #rotate(): Promise<void> {
    const { path, keep } = this.#options
    const aside = (i: number) => (i === 0 ? path : `${path}.${i}`)
    await this.#shut()
    // Up to the first gap: retrying a rotation that failed half-way must not push out further files.
    let free = 1
    while (free < keep && (await isThere(aside(free)))) free++
    for (let i = free - 1; i >= 0; i--) await rename(aside(i), aside(i + 1))
  }

  async #open(): Promise<void> {
    await this.#shut()
    const handle = await open(this.#options.path, openFlags, mode)
    try {
      const found = await handle.stat()
      if (found.isBlockDevice()) throw new Error('it is a disk, not a regular file')
      this.#isFile = found.isFile()
      if (this.#isFile) await handle.chmod(mode)
      this.#size = this.#isFile ? found.size : 0
      if (this.#size > 0 && !this.#isBegun && !(await endsWithLine(this.#options.path, this.#size)))
        this.#size += (await handle.write('\n')).bytesWritten
    } catch (error) {
      await handle.close()
      throw error
    }
    this.#handle = handle
  }

  async #shut(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    await handle?.close()
  }

  /** The process ends before the file was closed: what is not on its way is written now, or never. */
  #writeAtOnce(): void {
    if (!this.#handle) return
    const rest = Buffer.concat([
      this.#busy ? Buffer.alloc(0) : (this.#batch ?? Buffer.alloc(0)),
      Buffer.from(this.#waiting.splice(0).join('')),
    ])
    try {
      for (let at = 0; at < rest.length; ) at += writeSync(this.#handle.fd, rest, at)
      closeSync(this.#handle.fd)
    } catch {
      // There is nobody left to tell.
    }
  }
}

// --- internal ---

const isThere = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => undefined)) !== undefined

async function writeSome(handle: FileHandle, bytes: Buffer): Promise<number> {
  for (const limit = performance.now() + fullLimitMs; ; await sleep(fullLookMs)) {
    try {
      return (await handle.write(bytes)).bytesWritten
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      if (performance.now() > limit) throw new Error('whoever reads from it does not keep up')
    }
  }
}

/** Whether the file ends with a line end: a killed process or a full disk may have left half a line. */
async function endsWithLine(path: string, size: number): Promise<boolean> {
  const handle = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(1), 0, 1, size - 1)
    return bytesRead === 0 || buffer.toString() === '\n'
  } finally {
    await handle.close()
  }
}
