import { localZipName, readAsset } from './assets.ts'

/** The function as it would be deployed: built from the sources here, or carried inside the executable. */
export const functionZip = (): Promise<Uint8Array> =>
  Bun.isStandaloneExecutable ? readAsset('function.zip') : fromSources()

/** The function as the embedded cloud runs it: its QUIC engine is for this machine. */
export async function localFunctionZip(): Promise<Uint8Array> {
  const platform = `${process.platform}-${process.arch}`
  return Bun.isStandaloneExecutable ? readAsset(localZipName(platform)) : fromSources(platform)
}

// --- internal ---

/** Not in the executable, and neither is the bundler. */
async function fromSources(platform?: string): Promise<Uint8Array> {
  const { buildFunction } = await import('../../function/build.ts')
  return (await buildFunction(platform === undefined ? {} : { platform })).zip
}
