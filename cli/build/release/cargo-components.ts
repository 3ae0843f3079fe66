import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { needCargo } from '../../../native/toolchain.ts'
import { root } from '../root.ts'
import { type Component, licenceTexts, unique } from './component.ts'

/** The crates that are linked into the native engine for these platforms, by Rust's names for them. */
export async function cargoComponents(triples: readonly string[]): Promise<Component[]> {
  const cargo = await needCargo()
  const checksums = await lockedChecksums()
  const all: Component[] = []
  for (const triple of triples) {
    const { packages, resolve } = await metadata(cargo, triple)
    const byId = new Map(packages.map(each => [each.id, each]))
    const needs = new Map(
      resolve.nodes.map(({ id, deps }) => [id, deps.filter(isLinked).map(({ pkg }) => pkg)]),
    )
    for (const id of reachable(packages.find(({ name }) => name === 'engine')!.id, needs)) {
      const crate = byId.get(id)!
      // Those without a registry are ours.
      if (crate.source === null) continue
      const below = (needs.get(id) ?? []).map(other => purl(byId.get(other)!))
      all.push(await componentOf(crate, below.sort(), checksums))
    }
  }
  return unique(all)
}

// --- internal ---

interface Crate {
  id: string
  name: string
  version: string
  description: string | null
  license: string | null
  source: string | null
  homepage: string | null
  repository: string | null
  authors: string[]
  manifest_path: string
}

interface Dependency {
  pkg: string
  dep_kinds: { kind: null | 'dev' | 'build' }[]
}

interface Metadata {
  packages: Crate[]
  resolve: { nodes: { id: string; deps: Dependency[] }[] }
}

const manifest = join(root, 'native/Cargo.toml')
const maxBytes = 64 * 1024 * 1024

async function metadata(cargo: string, triple: string): Promise<Metadata> {
  const args = ['metadata', '--format-version', '1', '--locked', '--filter-platform', triple]
  const { stdout } = await promisify(execFile)(cargo, [...args, '--manifest-path', manifest], {
    maxBuffer: maxBytes,
  })
  return JSON.parse(stdout)
}

const isLinked = ({ dep_kinds }: Dependency) => dep_kinds.some(({ kind }) => kind === null)

const purl = ({ name, version }: Crate) => `pkg:cargo/${name}@${version}`

function reachable(from: string, needs: ReadonlyMap<string, readonly string[]>): Set<string> {
  const seen = new Set([from])
  for (const id of seen) for (const next of needs.get(id) ?? []) seen.add(next)
  return seen
}

async function componentOf(
  crate: Crate,
  needs: string[],
  checksums: ReadonlyMap<string, string>,
): Promise<Component> {
  const { name, version, license } = crate
  if (!license) throw new Error(`the crate ${name} does not say what its licence is`)
  const content = checksums.get(`${name} ${version}`)
  const texts = await licenceTexts(dirname(crate.manifest_path))
  return {
    purl: purl(crate),
    name,
    version,
    description: crate.description?.replace(/\s+/g, ' ').trim(),
    // The slash is from before SPDX.
    licence: license.replaceAll('/', ' OR '),
    texts: texts.length > 0 || crate.authors.length === 0 ? texts : [`By ${crate.authors.join(', ')}.`],
    hash: content === undefined ? undefined : { alg: 'SHA-256', content },
    homepage: crate.homepage ?? crate.repository ?? undefined,
    needs,
  }
}

/** `name version` → SHA-256 of its archive, hexadecimal. */
async function lockedChecksums(): Promise<Map<string, string>> {
  const lock = Bun.TOML.parse(await readFile(join(root, 'native/Cargo.lock'), 'utf8')) as {
    package: { name: string; version: string; checksum?: string }[]
  }
  return new Map(
    lock.package.flatMap(({ name, version, checksum }) =>
      checksum ? [[`${name} ${version}`, checksum] as const] : [],
    ),
  )
}
