import { defineCommand } from 'citty'
import { describe } from '../../cli/output/help.ts'
import { runScript } from '../../cli/output/script.ts'
import { bench } from './bench.ts'
import { choices, read } from './choice.ts'

await runScript(
  ['bun run', 'bench'],
  defineCommand({
    meta: describe({
      description:
        'Measure speed, CPU and memory of this proxy beside what it is built on and what else one would use, all in one run: on the loopback address, over delay and loss, through a bottleneck, and with the function held to a share of a core. All of it takes about an hour.',
      choices,
      exits: { failed: 'a trial failed, or this is not Linux' },
      examples: [
        ['bench goals far', 'Whether the goals of that row are met'],
        ['bench near chain down', 'One workload of one subject on the loopback address'],
        ['bench --quick', 'Whether it works at all'],
      ],
    }),
    args: {
      name: {
        type: 'positional',
        required: false,
        repeated: true,
        description: 'What is measured; everything without any',
      },
      quick: {
        type: 'boolean',
        default: false,
        description: 'Small sizes, once: shows that it works, not how fast',
      },
      full: { type: 'boolean', default: false, description: 'More short requests' },
      runs: { type: 'string', valueHint: 'n', description: 'Have each trial so often; the median counts' },
      keep: {
        type: 'boolean',
        default: false,
        description: 'Put figures and charts into docs/bench, for later runs to be compared with',
      },
      json: { type: 'boolean', default: false, description: 'Print the figures as JSON' },
    },
    run: ({ args }) => bench(read(args)),
  }),
)
