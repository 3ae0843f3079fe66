import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { architectures, zipName } from '../../function/architectures.ts'
import { buildFunction, type FunctionBundle, functionAvailable } from '../../function/build.ts'
import { assetsFolder, localZipName, terraformModule } from '../deploy/assets.ts'
import { nativeBinding } from './binding.ts'
import { type BuiltFile, writeChecksums } from './checksums.ts'
import { buildExecutable } from './executable.ts'
import type { Target } from './targets.ts'

/** The name of every executable; a platform's name follows where there are several. */
const name = 'lambda-nat-proxy'

export interface BuildOptions {
  /** Folder to write to; what an earlier build left there is removed. */
  outdir: string
  /** The platform of the executable without a platform's name. */
  native?: Target
  /** Platforms of the others. */
  named?: readonly Target[]
}

/** Builds function.zip, the executables and their checksums, and gives what it wrote. */
export async function buildAll({ outdir, native, named = [] }: BuildOptions): Promise<BuiltFile[]> {
  await mkdir(outdir, { recursive: true })
  for (const file of await written(outdir)) await rm(join(outdir, file))
  const functions = await buildFunctions()
  for (const [file, { zip }] of functions) await writeFile(join(outdir, file), zip)

  for (const target of new Set(native ? [native, ...named] : named)) {
    const files = [
      ...(target === native ? [name + target.suffix] : []),
      ...(named.includes(target) ? [`${name}-${target.name}${target.suffix}`] : []),
    ].map(file => join(outdir, file))
    const [first, ...copies] = files
    await buildFor(target, functions, first!)
    for (const copy of copies) await cp(first!, copy)
  }

  return writeChecksums(outdir, await written(outdir))
}

/** File name to zip, for each processor of Lambda's that there is a QUIC engine for: x86_64 always, arm64 where the native engine was built for it. */
export async function buildFunctions(): Promise<Map<string, FunctionBundle>> {
  const bundles = new Map<string, FunctionBundle>()
  for (const architecture of architectures.filter(functionAvailable))
    bundles.set(zipName(architecture), await buildFunction({ architecture }))
  return bundles
}

/**
 * Builds the executable for one platform, with these functions inside. Gives the files that went into it, from the root
 * of the checkout.
 */
export async function buildFor(
  target: Target,
  functions: ReadonlyMap<string, FunctionBundle>,
  outfile: string,
): Promise<readonly string[]> {
  const work = await mkdtemp(join(tmpdir(), `${name}-build-`))
  try {
    const assets = join(work, assetsFolder)
    const inside = await withLocal(functions, target)
    await layOut(assets, inside)
    const inputs = await buildExecutable(target, assets, outfile)
    return [...inputs, ...[...inside.values()].flatMap(({ inputs }) => inputs)]
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

// --- internal ---

/** What a build has written to a folder, by name. */
const written = async (folder: string) =>
  (await readdir(folder))
    .filter(file => /^(function.*\.zip|SHA256SUMS|lambda-nat-proxy.*)$/.test(file))
    .sort()

/** The functions, and the one that the platform's own embedded cloud runs. */
async function withLocal(functions: ReadonlyMap<string, FunctionBundle>, { platform, binding }: Target) {
  const local = localZipName(platform)
  if (functions.has(local)) return functions
  const bundle = await buildFunction({ platform, binding: binding && (await nativeBinding(binding)) })
  return new Map([...functions, [local, bundle]])
}

/** The folder that every executable carries. */
async function layOut(folder: string, functions: ReadonlyMap<string, FunctionBundle>): Promise<void> {
  await mkdir(join(folder, 'terraform'), { recursive: true })
  for (const [name, { zip }] of functions) await writeFile(join(folder, name), zip)
  for (const [name, content] of Object.entries(await terraformModule()))
    await writeFile(join(folder, 'terraform', name), content)
}
