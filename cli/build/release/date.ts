import { execFileSync } from 'node:child_process'
import { root } from '../root.ts'

/** What was released before the zip format's first day has that day. */
const earliest = new Date(Date.UTC(1980, 0, 1))

/**
 * The time that a release's files have: SOURCE_DATE_EPOCH (seconds, reproducible-builds.org), else that of the last
 * commit, so that a release that is built again is the same. Throws when the variable is no number.
 */
export function releaseDate(given = process.env.SOURCE_DATE_EPOCH): Date {
  const seconds = given ? readSeconds(given) : commitSeconds()
  return new Date(Math.max(seconds * 1_000, earliest.getTime()))
}

// --- internal ---

function readSeconds(given: string): number {
  if (!/^\d{1,11}$/.test(given))
    throw new Error(`SOURCE_DATE_EPOCH is "${given}": it must be seconds since 1970`)
  return Number(given)
}

/** 0 outside a repository, as in an archive of the sources. */
function commitSeconds(): number {
  try {
    const command = ['-C', root, 'log', '-1', '--format=%ct']
    return Number(execFileSync('git', command, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))
  } catch {
    return 0
  }
}
