import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface BuiltFile {
  name: string
  /** Bytes. */
  size: number
  /** Hexadecimal. */
  sha256: string
}

/** SHA-256, hexadecimal. */
export const sha256 = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex')

/** Files of a folder, each with its size and checksum. */
export const withChecksums = (folder: string, names: readonly string[]): Promise<BuiltFile[]> =>
  Promise.all(
    names.map(async name => {
      const content = await readFile(join(folder, name))
      return { name, size: content.length, sha256: sha256(content) }
    }),
  )

/** Writes the files' checksums beside them, as `sha256sum --check` reads them. */
export async function writeChecksums(folder: string, names: readonly string[]): Promise<BuiltFile[]> {
  const files = await withChecksums(folder, names)
  await writeFile(
    join(folder, 'SHA256SUMS'),
    files.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join(''),
  )
  return files
}
