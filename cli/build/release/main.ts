import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { consola } from 'consola'
import { buildAllNative } from '../../../native/build.ts'
import { ToolchainError } from '../../../native/toolchain.ts'
import { root } from '../root.ts'
import { type Target, targets } from '../targets.ts'
import { releaseDate } from './date.ts'
import { checkTag, repositoryUrl } from './repository.ts'
import { enginesOf, stageRelease } from './stage.ts'

// `bun run release [--only linux-x64,darwin-arm64] [--repository URL]`: all that a release has, for all platforms or for
// those, in dist/release. The engines are built for them, and those of the function's two.

// What is built depends on it.
process.chdir(root)
try {
  const { only, repository: named } = parseArgs({
    options: { only: { type: 'string' }, repository: { type: 'string' } },
  }).values
  const repository = repositoryUrl(named)
  checkTag()
  const chosen = only === undefined ? targets : only.split(',').map(targetOf)
  await buildAllNative(enginesOf(chosen))
  const files = await stageRelease({
    outdir: join(root, 'dist/release'),
    targets: chosen,
    date: releaseDate(),
    repository,
  })
  if (repository === undefined)
    consola.warn(
      'No repository is known: there is no install.sh, formula or Scoop manifest. Name it with --repository, or in package.json.',
    )
  for (const { name, size } of files) consola.log(`dist/release/${name}  ${(size / 1e6).toFixed(1)} MB`)
} catch (error) {
  for (const cause of error instanceof AggregateError ? error.errors : [error])
    consola.error(cause instanceof ToolchainError ? `${cause.message}. ${cause.hint}` : words(cause))
  process.exitCode = 1
}

// --- internal ---

function targetOf(name: string): Target {
  const target = targets.find(each => each.name === name)
  if (target) return target
  throw new Error(
    `there is no platform ${name}; --only takes those of ${targets.map(each => each.name).join(', ')}`,
  )
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
