import { copyFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { consola } from 'consola'
import { buildRelease } from './release.ts'
import { root } from './root.ts'
import { targets, thisPlatform } from './targets.ts'

// `bun run build [--all]`: function.zip, the executable for this platform or for all, and their checksums,
// in dist/; and function.zip beside the Terraform module, where a plain apply looks for it.

try {
  const { all } = parseArgs({ options: { all: { type: 'boolean', default: false } } }).values
  const native = thisPlatform()
  if (!native && !all)
    throw new Error(
      `there is no executable for ${process.platform}-${process.arch}; --all makes those for ${targets.map(({ name }) => name).join(', ')}`,
    )
  const outdir = join(root, 'dist')
  const files = await buildRelease({ outdir, native, named: all ? targets : [] })
  // Not in place: an apply may be reading it.
  const beside = join(root, 'terraform/function.zip')
  await copyFile(join(outdir, 'function.zip'), `${beside}.new`)
  await rename(`${beside}.new`, beside)
  for (const { name, size } of files) consola.log(`dist/${name}  ${(size / 1e6).toFixed(1)} MB`)
} catch (error) {
  const causes = error instanceof AggregateError ? error.errors : [error]
  for (const cause of causes) consola.error(cause instanceof Error ? cause.message : String(cause))
  process.exitCode = wrongUse(error) ? 2 : 1
}

// --- internal ---

function wrongUse(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
}
