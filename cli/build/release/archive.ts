import { gzipSync } from 'node:zlib'
import { type ZipOptions, zipSync } from 'fflate'
import { pack } from 'tar-stream'

/** A file in an archive. */
export interface Entry {
  /** With slashes, from the archive's root. */
  path: string
  content: Uint8Array
  executable?: boolean
}

/** The same entries and time give the same bytes: order, owners, modes and times are fixed. */
export async function tarGz(entries: readonly Entry[], date: Date): Promise<Uint8Array> {
  const archive = pack()
  for (const { path, content, executable } of sorted(entries))
    archive.entry(
      { name: path, mode: executable ? 0o755 : 0o644, mtime: date, uname: 'root', gname: 'root' },
      Buffer.from(content),
    )
  archive.finalize()
  const parts: Buffer[] = []
  for await (const part of archive) parts.push(part as Buffer)
  // A higher level takes twice the time for 2 %.
  return gzipSync(Buffer.concat(parts), { level: 6 })
}

/** The same for Windows. Throws for a date that the format cannot have: it begins with 1980. */
export function zip(entries: readonly Entry[], date: Date): Uint8Array {
  const files = sorted(entries).map(({ path, content, executable }) => {
    const attrs = (executable ? 0o755 : 0o644) << 16
    return [path, [content, { attrs }]] as [string, [Uint8Array, ZipOptions]]
  })
  return zipSync(Object.fromEntries(files), { level: 9, os: 3, mtime: asLocal(date) })
}

// --- internal ---

const sorted = (entries: readonly Entry[]) => [...entries].sort((a, b) => (a.path < b.path ? -1 : 1))

/** Zip keeps local times: the same hands of the clock in any zone. */
const asLocal = (date: Date) =>
  new Date(
    date.getUTCFullYear(),
    date.getUTCMonth(),
    date.getUTCDate(),
    date.getUTCHours(),
    date.getUTCMinutes(),
    date.getUTCSeconds(),
  )
