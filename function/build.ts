import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { build, type Plugin } from 'esbuild'
import { zipSync } from 'fflate'
import { builtNative, useNative } from '../native/bundle.ts'
import { CodedError } from '../tunnel/net/coded-error.ts'
import { type Architecture, platforms } from './architectures.ts'
import { prune } from './prune.ts'

const root = dirname(import.meta.dirname)

/** The one module of the tunnel that a bundle must replace: the binding's own loader looks for its file at run time. */
const bindingLoader = /^@matrixai\/quic\/dist\/native\/quiche\.js$/

const useBinding = (path: string): Plugin => ({
  name: 'use-binding',
  setup(build) {
    build.onResolve({ filter: bindingLoader }, () => ({ path }))
  },
})

export interface FunctionOptions {
  /** x86_64 unless another is named. */
  architecture?: Architecture
  /** Where the function runs if not on Lambda, by Node's names: `darwin-arm64`. */
  platform?: string
  /** quiche's binding for that platform, if not the installed one. */
  binding?: string | undefined
  /** Unless one is named, the native engine where it was built for the architecture, else quiche. */
  engine?: 'native' | 'quiche' | undefined
  /** For who unpacks it at once: nothing is compressed, which takes half a second in which nothing else is done. */
  isStored?: boolean
}

export interface FunctionBundle {
  zip: Uint8Array
  /** The QUIC engine that it carries. */
  engine: 'native' | 'quiche'
  /** The files that went into it, from the root of the checkout. */
  inputs: readonly string[]
  /** SHA-256 of the zip, base64, as Lambda and Terraform give it. */
  sha256: string
}

/** Whether some engine is there for this processor. */
export const functionAvailable = (architecture: Architecture): boolean =>
  engineFor(platforms[architecture]) !== undefined

/**
 * Bundles the function for Node on Lambda and zips it with its QUIC engine. The same sources give the same bytes:
 * names, order and times in the zip are fixed. Rejects with E_BUILD_NO_ENGINE when the engine cannot be had.
 */
export async function buildFunction({
  architecture = 'x86_64',
  platform = platforms[architecture],
  engine: wanted,
  binding,
  isStored = false,
}: FunctionOptions = {}): Promise<FunctionBundle> {
  const { engine, plugin } = needEngine(platform, wanted, binding)
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: { index: 'function/handler.ts' },
    outdir: 'dist',
    write: false,
    bundle: true,
    metafile: true,
    minify: true,
    platform: 'node',
    target: 'node22',
    // Modules that can be pruned, where a package has both kinds.
    mainFields: ['module', 'main'],
    format: 'cjs',
    loader: { '.node': 'copy' },
    assetNames: '[name]',
    // The client's half of the UDP socket, never reached on Node.
    external: ['bun:ffi'],
    legalComments: 'none',
    logLevel: 'silent',
    plugins: [plugin, prune],
  })
  const files = outputFiles
    .map(file => [basename(file.path), file.contents] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  // Zip keeps local times: the epoch of the format, in any zone.
  const zip = zipSync(Object.fromEntries(files), {
    level: isStored ? 0 : 9,
    mtime: new Date(1980, 0, 1, 0, 0, 0),
    os: 3,
    attrs: 0o644 << 16,
  })
  return {
    zip,
    engine,
    inputs: Object.keys(metafile.inputs),
    sha256: createHash('sha256').update(zip).digest('base64'),
  }
}

// --- internal ---

/** What the bundle carries, and how it gets there; undefined where neither engine can be had. */
function engineFor(platform: string, wanted?: FunctionOptions['engine'], given?: string) {
  const addon = wanted === 'quiche' ? undefined : builtNative(platform)
  if (addon) return { engine: 'native', plugin: useNative(addon) } as const
  const binding = wanted === 'native' ? undefined : (given ?? installedBinding(platform))
  return binding ? ({ engine: 'quiche', plugin: useBinding(binding) } as const) : undefined
}

/** quiche's, which is installed for this machine's platform and linux-x64 alone; there is none for linux-arm64. */
function installedBinding(platform: string): string | undefined {
  try {
    return createRequire(join(root, 'package.json')).resolve(`@matrixai/quic-${platform}/node.napi.node`)
  } catch {
    return undefined
  }
}

function needEngine(platform: string, wanted: FunctionOptions['engine'], binding?: string) {
  const found = engineFor(platform, wanted, binding)
  if (found) return found
  throw wanted === 'quiche'
    ? new CodedError('E_BUILD_NO_ENGINE', `there is no quiche engine for a function on ${platform}`)
    : new CodedError(
        'E_BUILD_NO_ENGINE',
        `a function on ${platform} needs the native QUIC engine, which was not built for it`,
        { hint: 'Build it with "bun run native --all".' },
      )
}
