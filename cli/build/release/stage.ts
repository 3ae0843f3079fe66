import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { platforms } from '../../../function/architectures.ts'
import { builtNative } from '../../../native/bundle.ts'
import { nativeTargets } from '../../../native/targets.ts'
import { terraformModule } from '../../deploy/assets.ts'
import { buildFor, buildFunctions } from '../build.ts'
import { type BuiltFile, withChecksums, writeChecksums } from '../checksums.ts'
import { installers } from '../install/installers.ts'
import { npmPackages } from '../npm/packages.ts'
import type { Target } from '../targets.ts'
import { type Entry, tarGz, zip } from './archive.ts'
import { cargoComponents } from './cargo-components.ts'
import { type Component, unique } from './component.ts'
import { extras } from './extras.ts'
import { archiveName, moduleArchive, sbomFile, stem } from './names.ts'
import { notices } from './notices.ts'
import { npmComponents } from './npm-components.ts'
import { bunComponent } from './runtime.ts'
import { sbom } from './sbom.ts'

export interface ReleaseOptions {
  /** Folder to write to; all that is in it is removed first. */
  outdir: string
  /** Platforms to have an executable for. */
  targets: readonly Target[]
  /** What the files' times are. */
  date: Date
  /** URL of the repository that it is for; without one there are no installers. */
  repository?: string | undefined
}

/** Builds all that a release has and writes it into one folder. npm's packages in a folder of their own.
 * Gives what is downloaded from it, without the checksums' own file. */
export async function stageRelease({
  outdir,
  targets,
  date,
  repository,
}: ReleaseOptions): Promise<BuiltFile[]> {
  await rm(outdir, { recursive: true, force: true })
  await mkdir(outdir, { recursive: true })
  const functions = await buildFunctions()
  for (const [name, { zip }] of functions) await writeFile(join(outdir, name), zip)
  await writeFile(join(outdir, moduleArchive), await tarGz(await moduleEntries(), date))

  const work = await mkdtemp(join(tmpdir(), 'lambda-nat-proxy-release-'))
  try {
    const inputs = new Set<string>()
    const built = ({ name, suffix }: Target) => join(work, name, `lambda-nat-proxy${suffix}`)
    for (const target of targets)
      for (const input of await buildFor(target, functions, built(target))) inputs.add(input)

    const components = await componentsOf([...inputs], enginesOf(targets))
    await writeFile(join(outdir, sbomFile), sbom(components, date))
    const thirdParty = notices(components)
    const beside = await extras(date, thirdParty)
    for (const target of targets) {
      const program: Entry = {
        path: `lambda-nat-proxy${target.suffix}`,
        content: await readFile(built(target)),
        executable: true,
      }
      const entries = inFolder(stem(target), [program, ...beside])
      const name = archiveName(target)
      await writeFile(
        join(outdir, name),
        name.endsWith('.zip') ? zip(entries, date) : await tarGz(entries, date),
      )
    }
    await mkdir(join(outdir, 'npm'))
    const options = { targets, executable: built, thirdParty, repository, date }
    for await (const { file, archive } of npmPackages(options))
      await writeFile(join(outdir, 'npm', file), archive)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
  if (repository !== undefined) await writeInstallers(outdir, targets, repository)
  // npm has checksums of its own.
  const files = (await readdir(outdir)).filter(name => name !== 'npm')
  return writeChecksums(outdir, files.sort())
}

/** The platforms whose engines these executables and the functions inside have, by Node's names. */
export const enginesOf = (targets: readonly Target[]): string[] => [
  ...new Set([...Object.values(platforms), ...targets.map(({ platform }) => platform)]),
]

// --- internal ---

const inFolder = (folder: string, entries: readonly Entry[]): Entry[] =>
  entries.map(entry => ({ ...entry, path: `${folder}/${entry.path}` }))

const moduleEntries = async (): Promise<Entry[]> =>
  Object.entries(await terraformModule()).map(([path, content]) => ({ path, content }))

async function writeInstallers(
  outdir: string,
  targets: readonly Target[],
  repository: string,
): Promise<void> {
  const archives = await withChecksums(outdir, targets.map(archiveName))
  const checksums = new Map(archives.map(({ name, sha256 }) => [name, sha256]))
  for (const [name, text] of await installers({ repository, checksums }))
    await writeFile(join(outdir, name), text)
}

/** Of both languages; Rust's where an engine was built. */
async function componentsOf(inputs: readonly string[], engines: readonly string[]): Promise<Component[]> {
  const built = nativeTargets.filter(({ name }) => engines.includes(name) && builtNative(name))
  const triples = built.map(({ triple }) => triple)
  const crates = triples.length > 0 ? await cargoComponents(triples) : []
  return unique([bunComponent(), ...(await npmComponents(inputs)), ...crates])
}
