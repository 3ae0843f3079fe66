import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from 'esbuild'
import { engineFile } from './engine/file.ts'

// How a bundle carries the native engine: in the place of the modules that look for an engine at run time.

const root = join(import.meta.dirname, '..')

/** The module that looks for the addon. */
export const nativeLoader = /[\\/]tunnel[\\/]quic[\\/]engines[\\/]native[\\/]binding\.ts$/
/** quiche's engine. */
export const quicheModule = /[\\/]tunnel[\\/]quic[\\/]engines[\\/]quiche[\\/]engine\.ts$/

/** The glibc of Amazon Linux 2023, where the function runs, and the oldest that the engine is promised for. */
const maxGlibc = 34

/** The engine that was built for a platform, or undefined when none was, or none that loads on other machines. */
export function builtNative(name: string): string | undefined {
  const file = join(root, engineFile(name))
  if (!existsSync(file)) return undefined
  const needed = readFileSync(file, 'latin1').matchAll(/GLIBC_2\.(\d+)/g)
  return Math.max(0, ...Array.from(needed, ([, minor]) => Number(minor))) <= maxGlibc ? file : undefined
}

/** For esbuild: the native engine in the place of quiche's. The loader of .node files must copy them. */
export const useNative = (file: string): Plugin => ({
  name: 'use-native',
  setup(build) {
    build.onLoad({ filter: nativeLoader }, () => ({
      contents: `export const loadBinding = () => require(${JSON.stringify(file)})`,
    }))
    build.onLoad({ filter: quicheModule }, () => ({ contents: 'export const quicheEngine = undefined' }))
  },
})
