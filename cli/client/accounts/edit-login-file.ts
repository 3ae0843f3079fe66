import { type Document, isMap, isScalar, parseDocument } from 'yaml'
import { UsageError } from '../../input/usage-error.ts'
import type { LimitName } from './limits.ts'
import { isYaml, parseLoginFile, yamlOptions } from './login-file.ts'
import type { Hash } from './password-hash.ts'
import { replaceAlone } from './replace-alone.ts'

/**
 * Puts a login into a file, in place of the password of the one of that name, and of limits that are given. What else
 * the file says stays, and what another process puts there at the same time. True: it is new. Rejects with a UsageError, or as replaceAlone does.
 */
export async function putLogin(
  path: string,
  user: string,
  { hash }: Hash,
  limits: Partial<Record<LimitName, string>> = {},
): Promise<boolean> {
  const given = Object.entries(limits)
  if (given.length > 0 && !isYaml(path))
    throw new UsageError(`${path}: limits need a file whose name ends in .yaml`)
  let isNew = false
  await replaceAlone(path, text => {
    isNew = !parseLoginFile(path, text).some(login => login.user === user)
    const next = isYaml(path)
      ? edited(text, document => {
          document.setIn([user, 'password'], hash)
          for (const [name, value] of given) document.setIn([user, name], value)
        })
      : isNew
        ? `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${user}:${hash}\n`
        : eachLine(text, user, () => [`${user}:${hash}`])
    mustHold(path, next, user, hash)
    return next
  })
  return isNew
}

/** Takes a login out of a file. Gives the users that it had before; without that one among them nothing has changed. Rejects as replaceAlone does. */
export async function removeLogin(path: string, user: string): Promise<string[]> {
  let users: string[] = []
  await replaceAlone(path, text => {
    users = parseLoginFile(path, text).map(login => login.user)
    if (!users.includes(user)) return undefined
    return isYaml(path)
      ? edited(text, document => {
          keepFirstComment(document, user)
          document.delete(user)
        })
      : eachLine(text, user, () => [])
  })
  return users
}

// --- internal ---

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
