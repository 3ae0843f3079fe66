import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { version } from '../../../package.json'
import { archiveName } from '../release/names.ts'
import { type Target, targets } from '../targets.ts'

// The installer, the Homebrew formula and the Scoop manifest of a release: each a template of its own language, filled
// with the same values.

/** A template's name here, what it is published as, and whether it may lack platforms. */
const templates = [
  { from: 'install.sh', to: 'install.sh', partial: true },
  { from: 'formula.rb', to: 'lambda-nat-proxy.rb', partial: false },
  { from: 'scoop.json', to: 'lambda-nat-proxy.json', partial: false },
] as const

export interface InstallerValues {
  /** URL of the repository that has the release. */
  repository: string
  /** Archive name → SHA-256, hexadecimal. */
  checksums: ReadonlyMap<string, string>
}

/** File name → content. Those that name platforms which this release lacks are left out. */
export async function installers({ repository, checksums }: InstallerValues): Promise<Map<string, string>> {
  const values = new Map([
    ['VERSION', version],
    ['REPOSITORY', repository],
    ...targets.map(target => [placeholder(target), checksums.get(archiveName(target)) ?? ''] as const),
  ])
  const filled = await Promise.all(
    templates.map(async ({ from, to, partial }) => {
      const template = await readFile(join(import.meta.dir, from), 'utf8')
      return [to, fill(template, values, partial)] as const
    }),
  )
  return new Map(filled.flatMap(([name, text]) => (text === undefined ? [] : [[name, text] as const])))
}

// --- internal ---

const placeholder = ({ name }: Target) => `SHA256_${name.replace('-', '_')}`

/** Undefined when a value is lacking that must be there. */
function fill(template: string, values: ReadonlyMap<string, string>, partial: boolean): string | undefined {
  let lacking = false
  const text = template.replace(/@([A-Z]\w*)@/g, (_, name: string) => {
    const value = values.get(name)
    if (value === undefined) throw new Error(`a template of the installers asks for ${name}`)
    lacking ||= value === ''
    return value
  })
  return lacking && !partial ? undefined : text
}
