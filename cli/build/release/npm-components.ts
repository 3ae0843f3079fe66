import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { root } from '../root.ts'
import { type Component, licenceTexts, unique } from './component.ts'

/** The npm packages that files of a bundle come from: paths from the root of the checkout. */
export async function npmComponents(inputs: readonly string[]): Promise<Component[]> {
  const folders = new Set(inputs.flatMap(input => packageFolder(input) ?? []))
  const hashes = await lockedHashes()
  const found = await Promise.all([...folders].map(folder => readPackage(folder, hashes)))
  const urls = new Map(found.map(({ folder, component }) => [folder, component.purl]))
  return unique(
    found.map(({ folder, component, dependencies }) => ({
      ...component,
      needs: dependencies.flatMap(name => urls.get(resolveFrom(folder, name) ?? '') ?? []).sort(),
    })),
  )
}

// --- internal ---

type Licence = string | { type?: string }

interface Manifest {
  name: string
  version: string
  description?: string
  license?: Licence
  /** As older packages have it. */
  licenses?: Licence[]
  homepage?: string
  author?: string | { name?: string }
  dependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
}

const modules = 'node_modules/'

/** The folder of the package that a file belongs to; undefined for a file of ours. */
function packageFolder(input: string): string | undefined {
  for (let at = input.lastIndexOf(modules); at >= 0; at = input.lastIndexOf(modules, at - 1)) {
    const rest = input.slice(at + modules.length).split('/')
    const name = rest.slice(0, rest[0]!.startsWith('@') ? 2 : 1).join('/')
    const folder = input.slice(0, at + modules.length) + name
    // Some packages have folders of that name for modules of their own.
    if (existsSync(join(root, folder, 'package.json'))) return folder
  }
  return undefined
}

async function readPackage(folder: string, hashes: ReadonlyMap<string, string>) {
  const path = join(root, folder)
  const manifest: Manifest = JSON.parse(await readFile(join(path, 'package.json'), 'utf8'))
  const { name, version, description, homepage } = manifest
  const content = hashes.get(`${name}@${version}`)
  const texts = await licenceTexts(path)
  const author = typeof manifest.author === 'object' ? manifest.author.name : manifest.author
  const component: Component = {
    purl: `pkg:npm/${name.replace('@', '%40')}@${version}`,
    name,
    version,
    description,
    licence: licenceOf(manifest),
    texts: texts.length > 0 || !author ? texts : [`By ${author}.`],
    hash: content === undefined ? undefined : { alg: 'SHA-512', content },
    homepage: homepage && URL.canParse(homepage) ? homepage : undefined,
    needs: [],
  }
  const dependencies = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })
  return { folder, component, dependencies }
}

/** Packages whose manifest is silent, and what their Readme says. */
const inReadme: Partial<Record<string, string>> = { 'humanize-number': 'MIT' }

function licenceOf({ name, license, licenses = [] }: Manifest): string {
  const given = (license === undefined ? licenses : [license]).map(each =>
    typeof each === 'object' ? each.type : each,
  )
  const expression = given.join(' OR ') || inReadme[name]
  if (!expression) throw new Error(`${name} from npm does not say what its licence is`)
  return expression
}

/** As Node looks: in its own node_modules, then in those above. */
function resolveFrom(folder: string, name: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    const candidate = at === '.' ? modules + name : `${at}/${modules}${name}`
    if (existsSync(join(root, candidate, 'package.json'))) return candidate
    if (at === '.') return undefined
  }
}

/** `name@version` → SHA-512 of its archive, hexadecimal, as bun.lock has it in base64. */
async function lockedHashes(): Promise<Map<string, string>> {
  const lock = Bun.JSONC.parse(await readFile(join(root, 'bun.lock'), 'utf8')) as {
    packages: Record<string, [id: string, ...unknown[]]>
  }
  return new Map(
    Object.values(lock.packages).flatMap(([id, ...rest]) => {
      const integrity = rest.find(each => typeof each === 'string' && each.startsWith('sha512-'))
      if (typeof integrity !== 'string') return []
      return [[id, Buffer.from(integrity.slice('sha512-'.length), 'base64').toString('hex')] as const]
    }),
  )
}
