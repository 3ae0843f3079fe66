import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { build, type Plugin } from 'esbuild'
import { zipSync } from 'fflate'
import { builtNative, useNative } from '../native/bundle.ts'
import { prune } from './prune.ts'

const root = dirname(import.meta.dirname)

/** The one module of the tunnel that a bundle must replace: the binding's own loader looks for its file at run time. */
const bindingLoader = /^@matrixai\/quic\/dist\/native\/quiche\.js$/

/** Lambda's x86_64 on Amazon Linux 2023. */
const bindingModule = '@matrixai/quic-linux-x64/node.napi.node'

const useLinuxBinding: Plugin = {
  name: 'use-linux-binding',
  setup(build) {
    const require = createRequire(join(root, 'package.json'))
    build.onResolve({ filter: bindingLoader }, () => ({ path: require.resolve(bindingModule) }))
  },
}

export interface FunctionBundle {
  zip: Uint8Array
  /** The QUIC engine that it carries. */
  engine: 'native' | 'quiche'
  /** SHA-256 of the zip, base64, as Lambda and Terraform give it. */
  sha256: string
}

/**
 * Bundles the function for Node on Lambda and zips it with its QUIC engine: the native one where it was built for
 * linux-x64, else quiche. The same sources give the same bytes: names, order and times in the zip are fixed.
 */
export async function buildFunction(
  native: string | undefined = builtNative('linux-x64'),
): Promise<FunctionBundle> {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: { index: 'function/handler.ts' },
    outdir: 'dist',
    write: false,
    bundle: true,
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
    plugins: [...(native ? [useNative(native)] : []), useLinuxBinding, prune],
  })
  const files = outputFiles
    .map(file => [basename(file.path), file.contents] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  // Zip keeps local times: the epoch of the format, in any zone.
  const zip = zipSync(Object.fromEntries(files), {
    level: 9,
    mtime: new Date(1980, 0, 1, 0, 0, 0),
    os: 3,
    attrs: 0o644 << 16,
  })
  return {
    zip,
    engine: native ? 'native' : 'quiche',
    sha256: createHash('sha256').update(zip).digest('base64'),
  }
}
