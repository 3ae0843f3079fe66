import { type Stats, statSync } from 'node:fs'
import { consola } from 'consola'
import { plainLogins } from '../client/accounts/login-file.ts'

/** Says what is wrong with a file of logins that can be used all the same. A pipe keeps nothing, and is read once. */
export async function warnOfLogins(file: string): Promise<void> {
  const found = statSync(file, { throwIfNoEntry: false })
  if (!found?.isFile()) return
  if (othersMayRead(found))
    consola.warn(`Other users of this machine can read the logins in ${file}. Run: chmod 600 ${file}`)
  const [plain, ...more] = await plainLogins(file)
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
const othersMayRead = ({ mode }: Stats): boolean =>
  process.platform !== 'win32' && (mode & (group | everybody)) !== 0
