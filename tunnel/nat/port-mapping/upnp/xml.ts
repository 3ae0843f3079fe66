import { XMLParser } from 'fast-xml-parser'
import { PortMappingError } from '../router.ts'

const parser = new XMLParser({
  ignoreAttributes: true,
  ignoreDeclaration: true,
  parseTagValue: false,
  processEntities: false,
  removeNSPrefix: true,
})

/** Elements of UPnP's documents lie no deeper. */
const deepest = 16
/** Nor are there more of them. */
const most = 2_000

/** An element: its children by name, several of one name as an array, text alone as a string. */
export type Element = { readonly [name: string]: unknown }

/** Reads what a router sent; a document type, which can define entities, is refused. Throws a PortMappingError. */
export function parseXml(text: string): Element {
  try {
    if (/<!DOCTYPE/i.test(text)) throw new Error('a document type')
    const root: unknown = parser.parse(text)
    if (isElement(root)) return root
  } catch {
    // Nothing in the router's words is worth repeating.
  }
  throw new PortMappingError('E_PORT_MAPPING_MALFORMED', 'the router’s UPnP server answers in no XML')
}

/** Every element of this name, in the document's order; of a document that is too deep or too large the first part. */
export function elementsOf(root: Element, name: string): Element[] {
  return all(root, name).filter(isElement)
}

/** The text of the first element of this name, at most 1,024 characters. */
export function textOf(root: Element, name: string): string | undefined {
  const text = all(root, name).find(value => typeof value === 'string')
  return typeof text === 'string' && text.length <= 1_024 ? text.trim() : undefined
}

// --- internal ---

const isElement = (value: unknown): value is Element =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function all(root: Element, wanted: string): unknown[] {
  const found: unknown[] = []
  let seen = 0
  const walk = (element: Element, depth: number) => {
    for (const [name, value] of Object.entries(element))
      for (const each of Array.isArray(value) ? value : [value]) {
        if (++seen > most || depth > deepest) return
        if (name === wanted) found.push(each)
        if (isElement(each)) walk(each, depth + 1)
      }
  }
  walk(root, 0)
  return found
}
