import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument, type YAMLMap } from 'yaml'
import { didYouMean } from '../../input/did-you-mean.ts'
import { readGivenText } from '../../input/read-file.ts'
import { UsageError } from '../../input/usage-error.ts'
import { limitNames, readLimits } from './limits.ts'
import { type Login, makeLogin } from './login.ts'

/**
 * The logins in a file: a `user:password` a line, as htpasswd writes them, or YAML where its name ends in .yaml or
 * .yml. Rejects with a UsageError, which never shows a password; a file without a login is wrong.
 */
export async function readLoginFile(path: string): Promise<Login[]> {
  const options = { subject: `the file of logins ${path}`, maxBytes: maxFileBytes }
  const logins = parseLoginFile(path, await readGivenText(path, options))
  // A file that is named is meant to require a login.
  if (logins.length === 0)
    throw new UsageError(
      isYaml(path)
        ? `the file of logins ${path} contains no login: add one with "login add"`
        : `the file of logins ${path} contains no login: write user:password on a line, or use "login add"`,
    )
  return logins
}

/** The logins in a file's text, none where it has none. */
export const parseLoginFile = (path: string, text: string): Login[] =>
  isYaml(path) ? parseYaml(path, text) : parseLines(path, text)

/** The users whose passwords a file holds as they are. */
export const plainLogins = async (path: string): Promise<string[]> =>
  (await readLoginFile(path)).flatMap(({ user, secret }) => (secret.kind === 'plain' ? [user] : []))

export const isYaml = (path: string): boolean => /\.ya?ml$/i.test(path)

/** How YAML is read here: every value is the text that is written, since `0123` is no number in a name or a password. */
export const yamlOptions = { schema: 'failsafe' } as const

// --- internal ---

/** Read whole, also while the proxy runs: some 50,000 hashed logins. */
const maxFileBytes = 8 * 1024 * 1024

/** `#` begins a comment line. */
const parseLines = (path: string, text: string): Login[] =>
  text.split(/\r?\n/).flatMap((line, i) => {
    const content = line.trim()
    if (content === '' || content.startsWith('#')) return []
    const where = `${path}, line ${i + 1}`
    const colon = content.indexOf(':')
    if (colon < 0) throw new UsageError(`${where}: missing colon: write a login as user:password`)
    return [makeLogin(where, content.slice(0, colon), content.slice(colon + 1))]
  })

/** A map: the user, and below it `password` and limits. */
function parseYaml(path: string, text: string): Login[] {
  const lines = new LineCounter()
  const document = parseDocument(text, {
    ...yamlOptions,
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'error',
  })
  const at = (offset: number) => `${path}, line ${lines.linePos(offset).line}`
  const [error] = document.errors
  // The parser's own message may show what stands there.
  if (error) throw new UsageError(`${at(error.pos[0])}: this is not YAML (${error.code})`)
  const { contents } = document
  if (contents === null || (isScalar(contents) && contents.value === null)) return []
  if (!isMap(contents)) throw new UsageError(`${path}: the file must hold "user:" lines, with settings below`)
  return contents.items.map(({ key, value }) => {
    const user = isScalar(key) ? String(key.value) : ''
    const where = isNode(key) && key.range ? at(key.range[0]) : path
    if (!isMap(value)) throw new UsageError(`${where}: write the password below the user, as "password: …"`)
    return fromYaml(where, user, value, document)
  })
}

function fromYaml(where: string, user: string, settings: YAMLMap, document: Document): Login {
  const { password, ...rest } = plain(where, settings, document)
  const known = ['password', ...limitNames]
  const unknown = Object.keys(rest).find(name => !known.includes(name))
  if (unknown !== undefined)
    throw new UsageError(
      `${where}: there is no setting '${unknown}' of a login${didYouMean(unknown, known)} Allowed are ${known.join(', ')}.`,
    )
  if (typeof password !== 'string' || password === '')
    throw new UsageError(`${where}: the login has no password: add one with "login add"`)
  return makeLogin(where, user, password, readLimits(where, rest))
}

/** The values of a map. Throws a UsageError for aliases of nothing, or of so much that it would fill the memory. */
function plain(where: string, map: YAMLMap, document: Document): Record<string, unknown> {
  try {
    return map.toJS(document) as Record<string, unknown>
  } catch {
    throw new UsageError(`${where}: a value that begins with * names another: put it in quotes`)
  }
}
