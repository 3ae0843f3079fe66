import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

// Reads the static and dynamic imports of the tree. A specifier counts when it is relative: packages are not rooms.

export interface Import {
  from: string
  to: string
  /** The line that the import ends on, 1-based. */
  line: number
}

const root = join(import.meta.dir, '../..')
const specifier = /(?:\bfrom|\bimport|\bimport\()\s*'(\.{1,2}\/[^']+)'/g

/** Paths of all sources that are ours, tests left out. */
export function sourceFiles(folders: readonly string[]): string[] {
  return folders
    .flatMap(folder => [...new Bun.Glob(`${folder}/**/*.{ts,tsx,cjs}`).scanSync(root)])
    .filter(file => !file.includes('node_modules'))
    .sort()
}

export function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8')
  return [...text.matchAll(specifier)].map(match => ({
    from: file,
    to: relative(root, join(root, dirname(file), match[1]!)),
    line: text.slice(0, match.index + match[0].length).split('\n').length,
  }))
}

/** The shortest way from a file back to itself, or undefined when there is none. */
export function cycleThrough(
  start: string,
  graph: ReadonlyMap<string, readonly string[]>,
): string[] | undefined {
  const cameFrom = new Map<string, string>()
  const queue = [start]
  for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
    for (const next of graph.get(file) ?? []) {
      if (next === start) {
        const path = [start]
        for (let step = file; step !== start; step = cameFrom.get(step)!) path.unshift(step)
        return [start, ...path]
      }
      if (cameFrom.has(next)) continue
      cameFrom.set(next, file)
      queue.push(next)
    }
  }
  return undefined
}
