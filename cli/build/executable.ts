import { join } from 'node:path'
import type { BunPlugin } from 'bun'
import { builtNative, nativeLoader } from '../../native/bundle.ts'
import { nativeBinding } from './binding.ts'
import { root } from './root.ts'
import { signMacos } from './sign-macos.ts'
import type { Target } from './targets.ts'

/**
 * Makes one file that holds Bun, the program, its native binding and a folder of assets, and needs nothing
 * else of the machine that runs it. Rejects with the bundler's messages.
 */
export async function buildExecutable(target: Target, assets: string, outfile: string): Promise<void> {
  await Bun.build({
    entrypoints: [join(root, 'cli/main.ts')],
    compile: {
      target: target.bun,
      outfile,
      assets: [assets],
      // What lies in the folder where somebody runs it is none of its business.
      autoloadDotenv: false,
      autoloadBunfig: false,
    },
    // Known here, so that what serves a checkout only is left out.
    define: { 'Bun.isStandaloneExecutable': 'true' },
    // A command loads its own code only; in one piece a start takes three times as long.
    splitting: true,
    format: 'esm',
    bytecode: true,
    // Names stay as they are: they are in error messages and stack traces.
    minify: { whitespace: true, syntax: true },
    plugins: [useBinding(await nativeBinding(target.binding)), ...useNative(target)],
  })
  // Bun itself signs for arm64 only: here it leaves the signature of what the file was before.
  if (target.name === 'darwin-x64') await signMacos(outfile)
}

// --- internal ---

/** The native engine, where it was built for the platform: it is the one that is preferred. */
function useNative({ native }: Target): BunPlugin[] {
  const file = builtNative(native)
  if (!file) return []
  return [
    {
      name: 'use-native',
      setup(build) {
        build.onLoad({ filter: nativeLoader }, () => ({
          loader: 'js',
          contents: `export const loadBinding = () => {
            try {
              return require(${JSON.stringify(file)})
            } catch {
              // Where it cannot be loaded from, quiche says.
            }
          }`,
        }))
      },
    },
  ]
}

/**
 * The binding's own loader looks for its file at run time; here the file is inside. The system loads no library
 * out of another file, so Bun writes it to the folder for temporary files.
 */
const useBinding = (path: string): BunPlugin => ({
  name: 'use-binding',
  setup(build) {
    build.onLoad({ filter: /@matrixai[\\/]quic[\\/]dist[\\/]native[\\/]quiche\.js$/ }, () => ({
      loader: 'js',
      contents: `try {
        module.exports = require(${JSON.stringify(path)})
      } catch (cause) {
        const folder = require('node:os').tmpdir()
        throw new Error(
          'the QUIC library cannot be loaded from ' + folder + ', the folder for temporary files (' + cause.message +
            '): set TMPDIR to a folder that can be written to and run from',
          { cause },
        )
      }`,
    }))
  },
})
