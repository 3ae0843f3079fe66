import { createHash } from 'node:crypto'
import { readlinkSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { CodedError } from '../../tunnel/net/coded-error.ts'
import { cacheFolder } from './folders.ts'
import { makePrivate, mustRunFrom, unusable } from './private-folder.ts'
import { processRuns } from './process-runs.ts'

/** A working folder of one process, for as long as it runs. */
export interface RunFolder {
  path: string
  remove(): Promise<void>
}

/**
 * Makes a folder in the user's cache, or among the temporary files where that cannot be written to or run from, has
 * `fill` write into it, and removes the folders of processes that were killed. Throws a CodedError that says why
 * neither place will do.
 */
export async function makeRunFolder(fill: (path: string) => Promise<void>): Promise<RunFolder> {
  const cache = join(cacheFolder(), 'runs')
  const problems: string[] = []
  for (const [place, prefix] of [
    [cache, ''],
    [tmpdir(), 'lambda-nat-proxy-'],
  ] as const) {
    let path: string | undefined
    try {
      if (place === cache) makePrivate(place)
      const mark = `${prefix}${owner()}-`
      await sweep(place, mark)
      path = await mkdtemp(join(place, `${mark}${process.pid}-`))
      mustRunFrom(path)
      await fill(path)
      return { path, remove: removal(path) }
    } catch (error) {
      if (path !== undefined) await removal(path)()
      problems.push(unusable(place, error))
    }
  }
  throw new CodedError('E_RUN_PLACE', `the function can be unpacked into neither ${problems.join(' nor ')}`, {
    hint: 'Set XDG_CACHE_HOME or TMPDIR to a folder that can be written to and run from.',
  })
}

// --- internal ---

const removal = (path: string) => () => rm(path, { recursive: true, force: true, maxRetries: 5 })

/** Removes the folders of processes that are gone. */
async function sweep(place: string, mark: string): Promise<void> {
  for (const name of await readdir(place)) {
    const pid = name.startsWith(mark) ? Number.parseInt(name.slice(mark.length), 10) : Number.NaN
    // What cannot be removed does not affect this run.
    if (pid > 0 && !processRuns(pid)) await removal(join(place, name))().catch(() => {})
  }
}

/** Identifies the process space of the ids in folder names: machines and containers may share a home. */
function owner(): string {
  let space = ''
  try {
    space = readlinkSync('/proc/self/ns/pid')
  } catch {
    // Only Linux has several.
  }
  return createHash('sha256').update(`${hostname()} ${space}`).digest('hex').slice(0, 8)
}
