import { type Architecture, zipName } from '../../function/architectures.ts'
import type { FunctionOptions } from '../../function/build.ts'
import { localZipName, readAsset } from './assets.ts'
import { DeployError } from './errors.ts'

/**
 * The function as it would be deployed to a processor: built from the sources here, or carried inside the executable.
 * Rejects with what is lacking: an engine that was not built, or a function that was not taken along.
 */
export const functionZip = (architecture: Architecture = 'x86_64'): Promise<Uint8Array> =>
  Bun.isStandaloneExecutable ? carried(architecture) : fromSources({ architecture })

/** The function as the embedded cloud runs it: its QUIC engine is for this machine. */
export async function localFunctionZip(): Promise<Uint8Array> {
  const platform = `${process.platform}-${process.arch}`
  return Bun.isStandaloneExecutable
    ? readAsset(localZipName(platform))
    : fromSources({ platform, isStored: true })
}

// --- internal ---

const carried = (architecture: Architecture) =>
  readAsset(zipName(architecture)).catch(cause => {
    throw new DeployError(
      'E_FUNCTION_NOT_CARRIED',
      `this executable was built without the function for ${architecture}`,
      { cause },
    )
  })

/** Not in the executable, and neither is the bundler. */
async function fromSources(options: FunctionOptions): Promise<Uint8Array> {
  const { buildFunction } = await import('../../function/build.ts')
  return (await buildFunction(options)).zip
}
