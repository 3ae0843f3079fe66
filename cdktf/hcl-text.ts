// HCL as text, laid out as `terraform fmt` does. CDKTF's own text is not used: it drops a default of false, writes
// a string as `0 = "…"`, keeps whole expressions within "${…}" and closes a quotation at the first quote inside it.

/** A value as Terraform's JSON syntax has it: each string is a template. */
export type Value = string | number | boolean | null | Value[] | { [key: string]: Value }

/** What stands between the braces of a block: arguments, and blocks with their labels. */
export interface Body {
  arguments: [name: string, text: string][]
  blocks: Block[]
}

export interface Block {
  /** Type and labels, the labels in quotes. */
  head: string
  body: Body
  /** Lines of a comment above it. */
  comment?: string[]
}

/** A value as an expression. What is wholly one interpolation stands bare; lines that all end are a heredoc. */
export function expression(value: Value): string {
  if (typeof value === 'string')
    return value.endsWith('\n') ? `<<-EOT\n${indent(value)}EOT` : (interpolated(value) ?? quoted(value))
  if (value === null || typeof value !== 'object') return String(value)
  if (Array.isArray(value)) return list(value.map(expression))
  const entries = Object.entries(value).map(([key, each]): [string, string] => [
    /^[A-Za-z_][\w-]*$/.test(key) ? key : quoted(key),
    expression(each),
  ])
  return entries.length === 0 ? '{}' : `{\n${indent(aligned(entries))}\n}`
}

/** Expressions as a list: in one line where they have room there. */
export function list(items: string[]): string {
  const line = `[${items.join(', ')}]`
  if (items.length < 2 || (line.length <= 80 && !line.includes('\n'))) return line
  return `[\n${indent(items.map(item => `${item},`).join('\n'))}\n]`
}

export function block({ head, body, comment = [] }: Block): string {
  const parts = [...(body.arguments.length > 0 ? [aligned(body.arguments)] : []), ...body.blocks.map(block)]
  const text = parts.length === 0 ? `${head} {}` : `${head} {\n${indent(parts.join('\n\n'))}\n}`
  return [...comment.map(line => `# ${line}`), text].join('\n')
}

// --- internal ---

/** Equals signs of neighbouring lines stand in one column; an argument of several lines has its own, or ends the group. */
function aligned(entries: [string, string][]): string {
  const lines: string[] = []
  let group: [string, string][] = []
  const flush = () => {
    const width = Math.max(...group.map(([name]) => name.length))
    lines.push(...group.map(([name, text]) => `${name.padEnd(width)} = ${text}`))
    group = []
  }
  for (const entry of entries) {
    const isLong = entry[1].includes('\n')
    if (isLong && !entry[1].startsWith('<<')) flush()
    group.push(entry)
    if (isLong) flush()
  }
  flush()
  return lines.join('\n')
}

const indent = (text: string) => text.replace(/^(?=.)/gm, '  ')

/** The expression of a string that is nothing else; undefined for another string. */
function interpolated(text: string): string | undefined {
  if (!text.startsWith('${') || endOfInterpolation(text, 0) !== text.length) return undefined
  return text.slice(2, -1).trim()
}

/** A template in quotes: what is literal is escaped, what is interpolated stays. */
function quoted(text: string): string {
  let out = ''
  for (let at = 0; at < text.length; ) {
    const start = nextInterpolation(text, at)
    out += JSON.stringify(text.slice(at, start)).slice(1, -1)
    at = start < text.length ? endOfInterpolation(text, start) : start
    out += text.slice(start, at)
  }
  return `"${out}"`
}

/** Where the next `${` stands that is not an escaped `$${`; the text's length when there is none. */
function nextInterpolation(text: string, from: number): number {
  const found = /(?<!\$)\$\{/g
  found.lastIndex = from
  return found.exec(text)?.index ?? text.length
}

/** Where an interpolation ends that starts at `start`: braces and quotations within it are skipped. */
function endOfInterpolation(text: string, start: number): number {
  let depth = 0
  for (let at = start + 1; at < text.length; at++) {
    const character = text[at]
    if (character === '"') at = endOfQuotation(text, at)
    else if (character === '{') depth++
    else if (character === '}' && --depth === 0) return at + 1
  }
  throw new Error(`the interpolation has no end: ${text}`)
}

/** Where the closing quote stands of a quotation that opens at `start`. */
function endOfQuotation(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '"') return at
    else if (text.startsWith('${', at) && text[at - 1] !== '$') at = endOfInterpolation(text, at) - 1
  }
  throw new Error(`the quotation has no end: ${text}`)
}
