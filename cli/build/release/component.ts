import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A third-party component in a release. */
export interface Component {
  /** Package URL (purl-spec): `pkg:npm/%40aws-sdk/core@3.1.0`. It names the component in the whole release. */
  purl: string
  name: string
  version: string
  description?: string | undefined
  /** SPDX expression. */
  licence: string
  /** What its own files say of its licence and its authors. */
  texts: readonly string[]
  hash?: { alg: 'SHA-512' | 'SHA-256'; content: string } | undefined
  homepage?: string | undefined
  /** Package URLs of those that it needs. */
  needs: readonly string[]
}

/** The texts of the files in a package's folder that are for its licences and authors. */
export async function licenceTexts(folder: string): Promise<string[]> {
  const names = (await readdir(folder, { withFileTypes: true }))
    .filter(entry => entry.isFile() && licenceFile.test(entry.name))
    .map(({ name }) => name)
    .sort()
  const texts = await Promise.all(names.map(name => readFile(join(folder, name), 'utf8')))
  return texts.map(text => text.replaceAll('\r\n', '\n').trim())
}

/** In a fixed order, each once. */
export function unique(components: readonly Component[]): Component[] {
  const byUrl = new Map(components.map(component => [component.purl, component]))
  return [...byUrl.values()].sort((a, b) => (a.purl < b.purl ? -1 : 1))
}

// --- internal ---

const licenceFile = /^(un)?(licen[cs]e|copying|notice|copyright)([-._].*)?$/i
