import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { architectures, platforms, zipName } from '../../function/architectures.ts'

/** What the executable carries beside its code; the build lays it out, and makes the folder's name. */
export const assetsFolder = 'assets'

/** The function for an embedded cloud on this platform, among the assets: Lambda's own where that is one of its. */
export const localZipName = (platform: string): string => {
  const architecture = architectures.find(each => platforms[each] === platform)
  return architecture ? zipName(architecture) : `function-${platform}.zip`
}

/** A file that the executable carries. */
export const readAsset = (path: string): Promise<Uint8Array> =>
  readFile(join(import.meta.dir, assetsFolder, path))

/**
 * The Terraform module, file name to content: all that an apply needs but function.zip. Of the folder only
 * the module's own files count, since a plain apply leaves its state and its providers there, too.
 */
export async function terraformModule(): Promise<Record<string, Uint8Array>> {
  const folder = Bun.isStandaloneExecutable
    ? join(import.meta.dir, assetsFolder, 'terraform')
    : join(import.meta.dir, '../../terraform')
  const names = (await readdir(folder))
    .filter(name => /\.tf$|^README\.md$|^deployer-policy\.json$/.test(name))
    .sort()
  return Object.fromEntries(
    await Promise.all(names.map(async name => [name, await readFile(join(folder, name))] as const)),
  )
}
