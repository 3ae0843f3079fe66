import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

/**
 * Where the engine that was built for a platform lies, from the root of a checkout. One that was built for another
 * interface, before an update say, lies elsewhere: it is not there, and takes no calls that mean something else to it.
 */
export function engineFile(platform: string): string {
  const described = readFileSync(new URL('index.d.ts', import.meta.url))
  const hash = createHash('sha256').update(described).digest('hex').slice(0, 8)
  return `dist/native/${platform}/${hash}/engine.node`
}
