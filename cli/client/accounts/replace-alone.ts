import type { Stats } from 'node:fs'
import {
  type FileHandle,
  mkdir,
  open,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  stat,
} from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CodedError } from '../../../tunnel/net/coded-error.ts'
import { systemReason } from '../../input/system-error.ts'
import { notText, utf8Text } from '../../input/utf8-text.ts'

/**
 * Changes a file under a lock: the text that `change` returns replaces it atomically, and other processes wait
 * meanwhile. A file that is not there is empty, and its folder is made; `change` gives
 * undefined for no change. Owner and mode of a file that is there stay. Rejects with what `change` throws, or a
 * CodedError: E_LOGINS_UNWRITABLE, or E_LOGINS_LOCKED after `waitMs`.
 */
export async function replaceAlone(
  path: string,
  change: (text: string) => string | undefined,
  waitMs = defaultWaitMs,
): Promise<void> {
  try {
    // One lock, whatever link the file is reached by.
    const target = await targetOf(path)
    // The new text is written into the lock itself: taking the file's place ends the lock, in one step.
    const lock = `${target}.lock`
    const draft = await openAlone(lock, path, waitMs)
    let isDone = false
    try {
      const known = await orMissing(stat(target), undefined)
      if (known && !known.isFile()) throw notRegular(path)
      const next = change(known ? await read(target, path, known) : '')
      if (next === undefined) return
      await write(draft, next, known)
      // Windows renames nothing that is open.
      await draft.close()
      await rename(lock, target)
      isDone = true
    } finally {
      // After a rename another's lock may be there.
      if (!isDone) {
        await draft.close().catch(() => {})
        await rm(lock, { force: true })
      }
    }
  } catch (error) {
    throw error instanceof CodedError ? error : unwritable(path, systemReason(error), error)
  }
}

// --- internal ---

/** Only its owner reads it. */
const mode = 0o600
/** As much as is read of a file of logins. */
const maxBytes = 8 * 1024 * 1024
/** Another process holds the lock for some milliseconds. */
const defaultWaitMs = 5_000
/** Between two tries. Milliseconds. */
const againMs = 20

const unwritable = (path: string, reason: string, cause?: unknown) =>
  new CodedError('E_LOGINS_UNWRITABLE', `${path} cannot be changed: ${reason}`, { cause })

const notRegular = (path: string) => unwritable(path, 'it is not a regular file')

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code

async function orMissing<T, U>(found: Promise<T>, missing: U): Promise<T | U> {
  try {
    return await found
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return missing
    throw error
  }
}

/**
 * The file itself, behind links: one that leads to no file yet stays, and the file is made where it leads, in a folder
 * that is made. What is there and no file is refused first: a path of it may not lead to it.
 */
async function targetOf(path: string): Promise<string> {
  const found = await orMissing(stat(path), undefined)
  if (found && !found.isFile()) throw notRegular(path)
  if (found) return realpath(path)
  await mkdir(dirname(path), { recursive: true })
  const folder = await realpath(dirname(path))
  const link = await readlink(path).catch(() => undefined)
  return link === undefined ? join(folder, basename(path)) : targetOf(resolve(folder, link))
}

/** Throws for what would not be written back as it was. */
async function read(target: string, path: string, { size }: Stats): Promise<string> {
  if (size > maxBytes) throw unwritable(path, `it has ${size} bytes, and ${maxBytes} are the most`)
  const text = utf8Text(await readFile(target))
  if (text === undefined) throw unwritable(path, notText)
  return text
}

/** Creates the lock file; waits while another process holds it. */
async function openAlone(lock: string, path: string, waitMs: number): Promise<FileHandle> {
  for (const limit = performance.now() + waitMs; ; await sleep(againMs)) {
    try {
      return await open(lock, 'wx', mode)
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error
      if (performance.now() > limit)
        throw new CodedError(
          'E_LOGINS_LOCKED',
          `${path} is being changed by another process, whose lock is ${lock}`,
          {
            hint: 'If none does, it was killed: remove the lock, and try again.',
            cause: error,
          },
        )
    }
  }
}

/** By the descriptor, not the name: whoever owns the folder may put a link there, and root would follow it. */
async function write(draft: FileHandle, text: string, known: Stats | undefined): Promise<void> {
  await draft.writeFile(text)
  if (known && (known.uid !== process.getuid?.() || known.gid !== process.getgid?.()))
    await draft.chown(known.uid, known.gid)
  // Whatever the umask is.
  if (known) await draft.chmod(known.mode & 0o777)
  await draft.sync()
}
