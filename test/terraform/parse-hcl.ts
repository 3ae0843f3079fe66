import { createRequire } from 'node:module'

/** HCL as JSON: blocks as lists, expressions within `${…}`. Rejects with the parser's words. */
export type ParseHcl = (file: string, text: string) => Promise<Record<string, unknown>>

// Not by an import: the package's types bring in the browser's, which contradict Bun's.
export const { parse: parseHcl } = createRequire(import.meta.url)('@cdktf/hcl2json') as { parse: ParseHcl }
