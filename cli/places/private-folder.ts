import { accessSync, chmodSync, constants, lstatSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { printable } from '../../tunnel/net/printable.ts'
import { systemReason } from '../input/system-error.ts'

const isWindows = process.platform === 'win32'

/**
 * Makes a folder that this user alone may use, or makes an existing one so. Throws when that cannot be: what is loaded
 * from a folder must be nobody else's to write.
 */
export function makePrivate(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  const found = lstatSync(path)
  if (!found.isDirectory()) throw new Error('it is not a folder')
  if (isWindows) return
  if (found.uid !== process.getuid?.()) throw new Error('it belongs to another user')
  if ((found.mode & 0o077) !== 0) chmodSync(path, 0o700)
}

/** Throws when the folder's file system lets nothing be run from it (`noexec`). */
export function mustRunFrom(folder: string): void {
  if (isWindows) return
  const program = join(folder, `run-${process.pid}`)
  try {
    writeFileSync(program, '', { mode: 0o700 })
    // access(2): on such a file system no file may be executed, whatever its mode.
    accessSync(program, constants.X_OK)
  } finally {
    rmSync(program, { force: true })
  }
}

/** Why a place was of no use, as part of a sentence: `/home/a/.cache (the file system is read-only)`. */
export const unusable = (path: string, error: unknown): string =>
  `${printable(path)} (${systemReason(error)})`
