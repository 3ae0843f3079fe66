import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { Socket, version } from '../../../../native/engine/index.d.ts'

export interface NativeBinding {
  Socket: typeof Socket
  version: typeof version
}

/**
 * The addon that `bun run native` has built for this platform, or undefined when there is none. Bundles replace this
 * one module by the .node file of their platform.
 */
export function loadBinding(): NativeBinding | undefined {
  // A bundle in which nothing was put in this module's place knows no file beside it.
  if (!import.meta.url) return undefined
  const file = fileURLToPath(
    new URL(`../../../../dist/native/${process.platform}-${process.arch}/engine.node`, import.meta.url),
  )
  return existsSync(file) ? (createRequire(import.meta.url)(file) as NativeBinding) : undefined
}
