import { statSync } from 'node:fs'
import { consola } from 'consola'
import { plainLogins } from '../client/accounts/login-file.ts'

/** Says what is wrong with a file of logins that can be used all the same. */
export function warnOfLogins(file: string): void {
  if (othersMayRead(file))
    consola.warn(`Other users of this machine can read the logins in ${file}. Run: chmod 600 ${file}`)
  const [plain, ...more] = plainLogins(file)
  if (plain !== undefined)
    consola.warn(
      `Passwords in ${file} are not hashed: ${[plain, ...more].slice(0, 5).join(', ')}${more.length > 4 ? ', …' : ''}. Run: lambda-nat-proxy login add ${plain} --file ${file}`,
    )
}

// --- internal ---

/** Read by the owner's group, and by everybody. */
const group = 0o040
const everybody = 0o004

/** Whether the file's mode lets other users of this machine read it; false where modes do not say (Windows). */
function othersMayRead(path: string): boolean {
  if (process.platform === 'win32') return false
  const file = statSync(path, { throwIfNoEntry: false })
  return file?.isFile() === true && (file.mode & (group | everybody)) !== 0
}
