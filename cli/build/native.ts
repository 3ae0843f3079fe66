import { stat } from 'node:fs/promises'
import { relative } from 'node:path'
import { defineCommand } from 'citty'
import { buildAllNative, buildNative } from '../../native/build.ts'
import { nativeTargets } from '../../native/targets.ts'
import { UsageError } from '../input/usage-error.ts'
import { describe } from '../output/help.ts'
import { runScript } from '../output/script.ts'
import { root } from './root.ts'

const platforms = nativeTargets.map(({ name }) => name)

await runScript(
  ['bun run', 'native'],
  defineCommand({
    meta: describe({
      description:
        'Build the native QUIC engine for this platform with Rust, in dist/native/. For other platforms it takes python3 and PyPI as well, from which Zig comes.',
      exits: { failed: 'it could not be built, or there is no Rust toolchain' },
      examples: [['native --only linux-x64,darwin-arm64', 'Two platforms']],
    }),
    args: {
      all: { type: 'boolean', description: 'For all platforms' },
      only: {
        type: 'string',
        valueHint: 'platform,…',
        description: `For these platforms, of ${platforms.join(', ')}`,
      },
    },
    async run({ args: { all, only } }) {
      if (all && only !== undefined) throw new UsageError('--all and --only are both given: leave out one')
      const names = only?.split(',')
      const unknown = names?.find(name => !platforms.includes(name))
      if (unknown !== undefined)
        throw new UsageError(
          `there is no platform '${unknown}': --only takes those of ${platforms.join(', ')}`,
        )
      for (const file of all || names ? await buildAllNative(names) : [await buildNative()]) {
        const { size } = await stat(file)
        console.log(`${relative(root, file)}  ${(size / 1e6).toFixed(1)} MB`)
      }
    },
  }),
)
