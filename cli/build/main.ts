import { copyFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { consola } from 'consola'
import { buildAllNative, buildNative } from '../../native/build.ts'
import { ToolchainError } from '../../native/toolchain.ts'
import { buildAll } from './build.ts'
import { root } from './root.ts'
import { hasEngine, targets, thisPlatform } from './targets.ts'

// `bun run build [--all]`: the native engine where there is a Rust toolchain, function.zip, the executable for this
// platform or for all, and their checksums, in dist/; and the function's zips beside the Terraform module, where a
// plain apply looks for them.

try {
  const { all } = parseArgs({ options: { all: { type: 'boolean', default: false } } }).values
  const native = thisPlatform()
  if (!native && !all)
    throw new Error(
      `there is no executable for ${process.platform}-${process.arch}; --all makes those for ${targets.map(({ name }) => name).join(', ')}`,
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
} catch (error) {
  const causes = error instanceof AggregateError ? error.errors : [error]
  for (const cause of causes) consola.error(cause instanceof Error ? cause.message : String(cause))
  process.exitCode = wrongUse(error) ? 2 : 1
}

// --- internal ---

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

function wrongUse(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
}
