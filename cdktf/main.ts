import { fileURLToPath } from 'node:url'
import { defineCommand } from 'citty'
import { describe } from '../cli/output/help.ts'
import { runScript } from '../cli/output/script.ts'
import { synth } from './synth.ts'

const committed = fileURLToPath(new URL('../terraform', import.meta.url))

await runScript(
  ['bun run', 'synth'],
  defineCommand({
    meta: describe({
      description: 'Write the Terraform module, its tables and the policy of its deployer from the stacks.',
    }),
    args: {
      out: { type: 'string', valueHint: 'folder', description: 'Where to, in place of terraform/' },
    },
    run: ({ args }) => synth(args.out ?? committed),
  }),
)
