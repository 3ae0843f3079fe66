import { readFile } from 'node:fs/promises'
import { basename, join, relative, resolve } from 'node:path'
import type { BunPlugin } from 'bun'
import { builtNative, nativeLoader, quicheModule } from '../../native/bundle.ts'
import { nativeBinding } from './binding.ts'
import { sha256 } from './checksums.ts'
import { root } from './root.ts'
import { signMacos } from './sign-macos.ts'
import type { Target } from './targets.ts'

/**
 * Makes one file that holds Bun, the program, its native binding and a folder of assets, and needs nothing
 * else of the machine that runs it. Gives the files that went into it, from the root of the checkout; rejects with the
 * bundler's messages. The bytes depend on where the process runs: its names for parts of the program do.
 */
export async function buildExecutable(
  target: Target,
  assets: string,
  outfile: string,
): Promise<readonly string[]> {
  const { metafile } = await Bun.build({
    entrypoints: [join(root, 'cli/main.ts')],
    compile: {
      target: target.bun,
      outfile,
      assets: [assets],
      // Files in the folder where it is run must not change it.
      autoloadDotenv: false,
      autoloadBunfig: false,
    },
    // Defined at build time, so that code for a checkout alone is left out.
    define: { 'Bun.isStandaloneExecutable': 'true' },
    // A command loads its own code only; in one piece a start takes three times as long.
    splitting: true,
    format: 'esm',
    bytecode: true,
    metafile: true,
    // Names stay as they are: they are in error messages and stack traces.
    minify: { whitespace: true, syntax: true },
    plugins: [await useQuiche(target), ...useNative(target)],
  })
  // Bun itself signs for arm64 only: here it leaves the signature of what the file was before.
  if (target.name === 'darwin-x64') await signMacos(outfile)
  // Bun gives them relative to the working directory.
  return Object.keys(metafile?.inputs ?? {}).map(input => relative(root, resolve(input)))
}

// --- internal ---

/** The native engine, where it was built for the platform: it is the one that is preferred. */
function useNative({ platform }: Target): BunPlugin[] {
  const file = builtNative(platform)
  if (!file) return []
  return [replace('use-native', nativeLoader, file, load => `export const loadBinding = () => ${load}`)]
}

/** quiche, where there is one for the platform: its package's own loader looks for the file at run time. */
async function useQuiche({ binding }: Target): Promise<BunPlugin> {
  if (binding !== undefined)
    return replace(
      'use-quiche',
      /@matrixai[\\/]quic[\\/]dist[\\/]native[\\/]quiche\.js$/,
      await nativeBinding(binding),
      load => `export default ${load}`,
    )
  return {
    name: 'without-quiche',
    setup(build) {
      build.onLoad({ filter: quicheModule }, () => ({
        loader: 'js',
        contents: 'export const quicheEngine = undefined',
      }))
    },
  }
}

/** Puts into a module's place one that loads a native library which the executable carries. */
const replace = (
  name: string,
  filter: RegExp,
  file: string,
  contents: (load: string) => string,
): BunPlugin => ({
  name,
  setup(build) {
    build.onLoad({ filter }, async () => {
      const addon = { name: basename(file), sha256: sha256(await readFile(file)) }
      return {
        loader: 'js',
        contents: `import { loadAddon } from ${JSON.stringify(join(root, 'cli/places/addon.ts'))}
          import inside from ${JSON.stringify(file)} with { type: 'file' }
          ${contents(`loadAddon({ ...${JSON.stringify(addon)}, inside })`)}`,
      }
    })
  },
})
