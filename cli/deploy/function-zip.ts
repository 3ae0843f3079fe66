import { readAsset } from './assets.ts'

/** The function as it would be deployed: built from the sources here, or carried inside the executable. */
export const functionZip = (): Promise<Uint8Array> =>
  Bun.isStandaloneExecutable ? readAsset('function.zip') : fromSources()

// --- internal ---

/** Not in the executable, and neither is the bundler. */
async function fromSources(): Promise<Uint8Array> {
  const { buildFunction } = await import('../../function/build.ts')
  return (await buildFunction()).zip
}
