import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fchmodSync,
  fchownSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { type Document, isMap, isScalar, parseDocument } from 'yaml'
import { CodedError } from '../../../tunnel/net/coded-error.ts'
import { systemReason } from '../../input/system-error.ts'
import { UsageError } from '../../input/usage-error.ts'
import type { LimitName } from './limits.ts'
import { isYaml, parseLoginFile, yamlOptions } from './login-file.ts'
import type { Hash } from './password-hash.ts'

/** Puts a login into a file, in place of the password of the one of that name, and of limits that are given. What else the file says stays. True: it is new. */
export function putLogin(
  path: string,
  user: string,
  { hash }: Hash,
  limits: Partial<Record<LimitName, string>> = {},
): boolean {
  const given = Object.entries(limits)
  if (given.length > 0 && !isYaml(path))
    throw new UsageError(`${path}: limits need a file whose name ends in .yaml`)

  const text = read(path)
  const isNew = !parseLoginFile(path, text).some(login => login.user === user)
  const next = isYaml(path)
    ? edited(text, document => {
        document.setIn([user, 'password'], hash)
        for (const [name, value] of given) document.setIn([user, name], value)
      })
    : isNew
      ? `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${user}:${hash}\n`
      : eachLine(text, user, () => [`${user}:${hash}`])
  mustHold(path, next, user, hash)
  write(path, next)
  return isNew
}

/** Takes a login out of a file. False: there was none of that name. */
export function removeLogin(path: string, user: string): boolean {
  const text = read(path)
  if (!parseLoginFile(path, text).some(login => login.user === user)) return false
  const next = isYaml(path)
    ? edited(text, document => {
        keepFirstComment(document, user)
        document.delete(user)
      })
    : eachLine(text, user, () => [])
  write(path, next)
  return true
}

// --- internal ---

/** Only its owner reads it. */
const mode = 0o600

/** An empty text where there is no file yet. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw new CodedError('E_LOGINS_UNWRITABLE', `${path} cannot be read: ${systemReason(error)}`)
  }
}

function edited(text: string, edit: (document: Document.Parsed) => void): string {
  const document = parseDocument(text, yamlOptions)
  edit(document)
  return document.toString({ lineWidth: 0 })
}

/** Throws a UsageError where the file would not say that this is the user's password: `#x` begins a comment. */
function mustHold(path: string, text: string, user: string, hash: string): void {
  const found = parseLoginFile(path, text).filter(login => login.user === user)
  if (found.length === 0 || found.some(({ secret }) => secret.kind === 'plain' || secret.hash !== hash))
    throw new UsageError(`${path} cannot hold a login of this name: choose another, or a file in YAML`)
}

const eachLine = (text: string, user: string, change: () => string[]): string =>
  text
    .split('\n')
    .flatMap(line => (line.trim().startsWith(`${user}:`) ? change() : [line]))
    .join('\n')

/** What stands above the first login is about the file. */
function keepFirstComment(document: Document.Parsed, user: string): void {
  if (!isMap(document.contents)) return
  const [first] = document.contents.items
  if (!isScalar(first?.key) || first.key.value !== user) return
  const comment = document.contents.commentBefore ?? first.key.commentBefore
  if (comment) document.commentBefore = [document.commentBefore ?? [], comment].flat().join('\n')
}

/** Writes all of it or nothing; owner and mode of a file that is there stay. */
function write(path: string, text: string): void {
  const known = statSync(path, { throwIfNoEntry: false })
  const target = known ? realpathSync(path) : path
  const draft = `${target}.${randomBytes(6).toString('hex')}`
  try {
    // By its descriptor, not its name: whoever owns the folder may put a link there, and root would follow it.
    const file = openSync(draft, 'wx', mode)
    try {
      writeFileSync(file, text, { flush: true })
      if (known && (known.uid !== process.getuid?.() || known.gid !== process.getgid?.()))
        fchownSync(file, known.uid, known.gid)
      // Whatever the umask is.
      if (known) fchmodSync(file, known.mode & 0o777)
    } finally {
      closeSync(file)
    }
    renameSync(draft, target)
  } catch (error) {
    rmSync(draft, { force: true })
    throw new CodedError('E_LOGINS_UNWRITABLE', `${path} cannot be written: ${systemReason(error)}`)
  }
}
