import { statSync } from 'node:fs'

/** Read by the owner's group, and by everybody. */
const group = 0o040
const everybody = 0o004

/** Whether the file's mode lets other users of this machine read it; false where modes do not say (Windows). */
export function othersMayRead(path: string): boolean {
  if (process.platform === 'win32') return false
  const file = statSync(path, { throwIfNoEntry: false })
  return file?.isFile() === true && (file.mode & (group | everybody)) !== 0
}
