import { copyFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { defineCommand } from 'citty'
import { consola } from 'consola'
import { buildAllNative, buildNative } from '../../native/build.ts'
import { ToolchainError } from '../../native/toolchain.ts'
import { UsageError } from '../input/usage-error.ts'
import { describe } from '../output/help.ts'
import { runScript } from '../output/script.ts'
import { buildAll } from './build.ts'
import { root } from './root.ts'
import { hasEngine, targets, thisPlatform } from './targets.ts'

await runScript(
  ['bun run', 'build'],
  defineCommand({
    meta: describe({
      description:
        'Make what is deployed and run, with checksums, in dist/: the native engine where there is a Rust toolchain, the zips of the function, and the executable. The zips go beside the Terraform module as well, where a plain apply looks for them.',
      exits: { failed: 'something could not be built' },
    }),
    args: {
      all: { type: 'boolean', description: 'Executables for all platforms, not for this one alone' },
    },
    run: ({ args }) => build(args.all ?? false),
  }),
)

// --- internal ---

async function build(all: boolean): Promise<void> {
  const native = thisPlatform()
  if (!native && !all)
    throw new UsageError(
      `there is no executable for ${process.platform}-${process.arch}: --all makes those for ${targets.map(({ name }) => name).join(', ')}`,
    )
  await buildEngines(all)
  const outdir = join(root, 'dist')
  const files = await buildAll({ outdir, native, named: all ? targets.filter(hasEngine) : [] })
  for (const { name } of all ? targets.filter(target => !hasEngine(target)) : [])
    consola.warn(`There is no QUIC engine for ${name} without a Rust toolchain: it is left out.`)
  for (const { name } of files.filter(({ name }) => name.startsWith('function'))) {
    // Not in place: an apply may be reading it.
    const beside = join(root, 'terraform', name)
    await copyFile(join(outdir, name), `${beside}.new`)
    await rename(`${beside}.new`, beside)
  }
  for (const { name, size } of files) consola.log(`dist/${name}  ${(size / 1e6).toFixed(1)} MB`)
}

/** The native engine goes into what is built where there is a Rust toolchain; elsewhere a line says what goes in. */
async function buildEngines(all: boolean): Promise<void> {
  try {
    if (all) await buildAllNative()
    else await buildNative()
  } catch (error) {
    const { message } = error as Error
    const hint = error instanceof ToolchainError ? ` ${error.hint}` : ''
    consola.info(`The native QUIC engine is not built, and quiche goes in: ${message}.${hint}`)
  }
}
