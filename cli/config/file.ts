import * as v from 'valibot'
import { isMap, isNode, isScalar, LineCounter, type Node, parseDocument, type YAMLMap } from 'yaml'
import { didYouMean } from '../input/did-you-mean.ts'
import { readGivenFile } from '../input/read-file.ts'
import { throwTogether } from '../input/together.ts'
import { UsageError } from '../input/usage-error.ts'
import { utf8Text } from '../input/utf8-text.ts'
import { entry, type Key, keys, sections } from './settings.ts'

/** What a file sets. */
export interface FileSettings {
  path: string
  settings: Map<Key, { value: unknown; line: number }>
}

/**
 * The settings in a configuration file, checked; undefined when there is no such file. Throws
 * what is wrong, all at once, with the file, the line and what is allowed.
 */
export async function readConfigFile(path: string): Promise<FileSettings | undefined> {
  const bytes = await read(path)
  return bytes && parseConfig(path, decode(path, bytes))
}

/** As readConfigFile, for a text; `path` is for the messages. */
export function parseConfig(path: string, text: string): FileSettings {
  const fail = (line: number | undefined, message: string) => {
    throw new UsageError(`${path}${line === undefined ? '' : `:${line}`}: ${message}`)
  }
  if (text.trim() === '') throw unusable(path, 'is empty')

  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' })
  const lineOf = (node: unknown) => (isNode(node) && node.range ? lines.linePos(node.range[0]).line : 1)
  const [error] = document.errors
  if (error) fail(lines.linePos(error.pos[0]).line, `is not YAML: ${complaint(error)}`)

  const plain = (node: Node): unknown => {
    try {
      return node.toJS(document)
    } catch {
      // An alias of nothing, or of so much that it would fill the memory.
      return fail(lineOf(node), 'a value that begins with * names another: put it in quotes')
    }
  }

  const found: FileSettings['settings'] = new Map()
  const take = (name: string, keyNode: unknown, valueNode: Node | null) => {
    const key = keys.find(each => each === name || entry(each).keyAlias === name)
    if (!key) return fail(lineOf(keyNode), unknownKey(name))
    if (found.has(key)) fail(lineOf(keyNode), `has both ${key} and ${entry(key).keyAlias}: leave out one`)
    // A key without a value counts as left out.
    if (valueNode === null || (isScalar(valueNode) && valueNode.value === null)) return
    const { success, output, issues } = v.safeParse(entry(key).schema, plain(valueNode))
    if (!success) fail(lineOf(valueNode), `${name} ${issues[0].message}`)
    found.set(key, { value: output, line: lineOf(keyNode) })
  }

  const errors: unknown[] = []
  const attempt = (action: () => void) => {
    try {
      action()
    } catch (error) {
      errors.push(error)
    }
  }
  for (const [section, sectionNode, content] of pairs(document.contents, 'the file'))
    attempt(() => {
      if (!Object.hasOwn(sections, section)) fail(lineOf(sectionNode), unknownSection(section))
      for (const [key, keyNode, value] of pairs(content, section))
        attempt(() => take(`${section}.${key}`, keyNode, value))
    })
  throwTogether(errors)
  return { path, settings: found }

  /** The entries of a map: name, node of the key, node of the value. */
  function pairs(node: unknown, what: string): [name: string, keyNode: unknown, value: Node | null][] {
    if (node === null || (isScalar(node) && node.value === null)) return []
    if (!isMap(node)) fail(lineOf(node), `${what} must hold "key: value" lines`)
    return (node as YAMLMap<unknown, Node | null>).items.map(({ key, value }) => [String(key), key, value])
  }
}

// --- internal ---

/** None of it can be used: the file has to be written anew. */
const unusable = (path: string, problem: string) =>
  new UsageError(`${path}: ${problem}`, { code: 'E_CONFIG_UNUSABLE' })

/** Bytes. */
const maxBytes = 1024 * 1024

const read = (path: string): Promise<Uint8Array | undefined> =>
  readGivenFile(path, { subject: path, maxBytes }).catch(error => {
    if (error.cause?.code === 'ENOENT') return undefined
    throw error
  })

function decode(path: string, bytes: Uint8Array): string {
  const text = utf8Text(bytes)
  if (text === undefined) throw unusable(path, 'is not text in UTF-8')
  return text
}

const complaint = ({ code, message }: { code: string; message: string }) =>
  code === 'TAB_AS_INDENT'
    ? 'it is indented with a tab; use spaces'
    : code === 'DUPLICATE_KEY'
      ? 'a key is there twice'
      : message

const unknownSection = (name: string) =>
  `there is no section '${name}'${didYouMean(name, Object.keys(sections))} Sections are ${Object.keys(sections).join(', ')}.`

function unknownKey(name: string): string {
  const section = name.slice(0, name.indexOf('.') + 1)
  const known = keys
    .flatMap(key => [key, entry(key).keyAlias ?? []])
    .flat()
    .filter(key => key.startsWith(section))
  return `there is no setting '${name}'${didYouMean(name, known)} Allowed are ${known.join(', ')}.`
}
