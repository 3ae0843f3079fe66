import { join } from 'node:path'
import { defineCommand } from 'citty'
import { consola } from 'consola'
import { buildAllNative } from '../../../native/build.ts'
import { UsageError } from '../../input/usage-error.ts'
import { describe } from '../../output/help.ts'
import { runScript } from '../../output/script.ts'
import { root } from '../root.ts'
import { type Target, targets } from '../targets.ts'
import { releaseDate } from './date.ts'
import { checkTag, repositoryUrl } from './repository.ts'
import { enginesOf, stageRelease } from './stage.ts'

// What is built depends on it.
process.chdir(root)
await runScript(
  ['bun run', 'release'],
  defineCommand({
    meta: describe({
      description:
        'Make all that a release has, in dist/release/, the same from the same commit: archives with completions and a manual page, checksums, a bill of materials, the npm packages, and what installs them.',
      exits: { failed: 'something could not be built' },
      examples: [['release --only linux-x64,darwin-arm64', 'Two platforms']],
    }),
    args: {
      only: {
        type: 'string',
        valueHint: 'platform,…',
        description: `These platforms alone, of ${targets.map(({ name }) => name).join(', ')}`,
      },
      repository: {
        type: 'string',
        valueHint: 'URL',
        description: 'Where it will be published, as https://github.com/OWNER/NAME',
      },
    },
    run: ({ args }) => release(args.only, args.repository),
  }),
)

// --- internal ---

async function release(only: string | undefined, named: string | undefined): Promise<void> {
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
}

function targetOf(name: string): Target {
  const target = targets.find(each => each.name === name)
  if (target) return target
  throw new UsageError(
    `there is no platform '${name}': --only takes those of ${targets.map(each => each.name).join(', ')}`,
  )
}
