import { readFile } from 'node:fs/promises'
import type { Plugin } from 'esbuild'

// What the function loads is what it costs to start, and memory that its streams cannot have. Pruning leaves
// out most of what is never called; this is for what a bundler cannot know.

/** Files of packages that the function has in another form. */
const replacements: { file: RegExp; by: string }[] = [
  {
    // Lambda gives credentials in the environment: profiles, single sign-on and metadata are for other places.
    file: /@aws-sdk[\\/]credential-provider-node[\\/]dist-es[\\/]index\.js$/,
    by: `export { fromEnv as defaultProvider } from '@aws-sdk/credential-provider-env'`,
  },
  {
    // For S3 Select alone. It is imported dynamically as well, and that keeps the SDK's core from being pruned.
    file: /@smithy[\\/]core[\\/]dist-es[\\/]submodules[\\/]event-streams[\\/]index\.js$/,
    by: `export const resolveEventStreamSerdeConfig = config => config
export const eventStreamSerdeProvider = undefined
export const EventStreamSerde = undefined`,
  },
  {
    // STUN's server and requester; only its messages are used.
    file: /stun[\\/]src[\\/]net[\\/](dgram-server|create-server|request)\.js$/,
    by: 'module.exports = {}',
  },
  {
    // Node has its own, which needs no tables.
    file: /turbo-crc32[\\/]crc32\.js$/,
    by: `module.exports = require('node:zlib').crc32`,
  },
]

/** S3's 500 shapes: a list each, with keys that are computed, so that the bundler cannot tell it has no effect. */
const shapes = /@aws-sdk[\\/]client-s3[\\/]dist-es[\\/]schemas[\\/]schemas_0\.js$/
const shape = /^((?:export )?var \w+\$? = )(\[[\s\S]*?\]);$/gm

/** Makes the bundle hold no more than the function needs. A replacement that finds no file fails the build: its package has moved it. */
export const prune: Plugin = {
  name: 'prune',
  setup(build) {
    const unused = new Set(replacements)
    for (const replacement of replacements)
      build.onLoad({ filter: replacement.file }, () => {
        unused.delete(replacement)
        return { contents: replacement.by }
      })
    build.onEnd(() => ({ errors: [...unused].map(({ file }) => ({ text: `nothing to prune at ${file}` })) }))
    build.onLoad({ filter: shapes }, async ({ path }) => ({
      contents: (await readFile(path, 'utf8')).replace(shape, '$1/* @__PURE__ */ (() => $2)();'),
    }))
  },
}
