import { createHash } from 'node:crypto'
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CodedError } from '../../tunnel/net/coded-error.ts'
import { cacheFolder } from './folders.ts'
import { makePrivate, unusable } from './private-folder.ts'

/** A native library that the executable carries. */
export interface Addon {
  /** The name of its file outside the executable. */
  name: string
  /** Its path inside the executable. */
  inside: string
  /** In hexadecimal. */
  sha256: string
}

/** A version that nobody has loaded for this long is removed. */
const unusedMs = 7 * 24 * 60 * 60_000

/**
 * Loads a library that the executable carries: the system loads none out of another file. It is unpacked into the
 * user's cache, where later starts find it, under its hash, which is checked before each load. Where the cache cannot
 * be written to or run from, it passes through the folder for temporary files, and is gone when it is loaded. Throws a
 * CodedError that says why neither will do.
 */
export function loadAddon(addon: Addon): unknown {
  const cache = join(cacheFolder(), 'addons')
  const temporary = tmpdir()
  const problems: string[] = []
  for (const [place, load] of [
    [cache, fromCache],
    [temporary, inPassing],
  ] as const) {
    try {
      return load(addon, place)
    } catch (error) {
      problems.push(unusable(place, error))
    }
  }
  throw new CodedError(
    'E_ADDON_PLACE',
    `the QUIC library can be loaded from neither ${problems.join(' nor ')}: set XDG_CACHE_HOME or TMPDIR to a folder that can be written to and run from`,
  )
}

// --- internal ---

function fromCache(addon: Addon, folder: string): unknown {
  makePrivate(folder)
  const file = `${addon.sha256.slice(0, 32)}-${addon.name}`
  const path = join(folder, file)
  if (!isIntact(path, addon)) write(path, contentOf(addon))
  const now = new Date()
  // Before it was touched, another process may have taken it for an unused one.
  utimesSync(path, now, now)
  const loaded = load(path)
  prune(folder, file, now.getTime())
  return loaded
}

function inPassing(addon: Addon, parent: string): unknown {
  const folder = mkdtempSync(join(parent, 'lambda-nat-proxy-'))
  try {
    const path = join(folder, addon.name)
    write(path, contentOf(addon))
    return load(path)
  } finally {
    // A loaded library stays usable without its file; Windows keeps the file.
    rmSync(folder, { recursive: true, force: true })
  }
}

function contentOf({ inside, name, sha256 }: Addon): Uint8Array {
  const content = readFileSync(inside)
  if (hash(content) !== sha256) throw new Error(`${name} inside the executable is damaged`)
  return content
}

/** Atomic: other processes see the old file or the whole new one. */
function write(path: string, content: Uint8Array): void {
  const beside = `${path}.${process.pid}.new`
  try {
    writeFileSync(beside, content, { mode: 0o700 })
    renameSync(beside, path)
  } catch (error) {
    rmSync(beside, { force: true })
    throw error
  }
}

function isIntact(path: string, { sha256 }: Addon): boolean {
  try {
    return hash(readFileSync(path)) === sha256
  } catch {
    return false
  }
}

const hash = (content: Uint8Array) => createHash('sha256').update(content).digest('hex')

function load(path: string): unknown {
  const module = { exports: {} as unknown }
  process.dlopen(module, path)
  return module.exports
}

/** Removes versions that were not loaded for long, and partial files of killed processes. */
function prune(folder: string, kept: string, now: number): void {
  for (const name of readdirSync(folder)) {
    if (name === kept) continue
    const path = join(folder, name)
    try {
      if (now - statSync(path).mtimeMs > unusedMs) rmSync(path, { force: true, recursive: true })
    } catch {
      // Another process was first, or has it loaded.
    }
  }
}
