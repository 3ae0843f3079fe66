import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { engineFile } from '../../../../native/engine/file.ts'
import type { Socket, version } from '../../../../native/engine/index.d.ts'

export interface NativeBinding {
  Socket: typeof Socket
  version: typeof version
}

/**
 * The addon that `bun run native` has built for this platform, or that its npm package has installed; undefined when
 * there is none. Bundles replace this one module by the .node file of their platform.
 */
export function loadBinding(): NativeBinding | undefined {
  // A bundle in which nothing was put in this module's place knows no file beside it.
  if (!import.meta.url) return undefined
  const platform = `${process.platform}-${process.arch}`
  const require = createRequire(import.meta.url)
  const file = built(platform) ?? installed(require, platform)
  return file === undefined ? undefined : (require(file) as NativeBinding)
}

// --- internal ---

/** In a checkout: a bundle has nothing of it beside itself. */
function built(platform: string): string | undefined {
  const root = new URL('../../../../', import.meta.url)
  if (!existsSync(new URL('native/engine/index.d.ts', root))) return undefined
  const file = fileURLToPath(new URL(engineFile(platform), root))
  return existsSync(file) ? file : undefined
}

function installed(require: NodeJS.Require, platform: string): string | undefined {
  try {
    return require.resolve(`@lambda-nat-proxy/engine-${platform}`)
  } catch {
    return undefined
  }
}
