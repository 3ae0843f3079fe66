import { type CommandDef, defineCommand } from 'citty'
import { bashCompletion } from './completion/bash.ts'
import { fishCompletion } from './completion/fish.ts'
import { type CommandNode, commandTree } from './completion/tree.ts'
import { zshCompletion } from './completion/zsh.ts'

const program = 'lambda-nat-proxy'

type Writer = (program: string, nodes: readonly CommandNode[]) => string

const shells: Record<string, { write: Writer; use: string }> = {
  bash: { write: bashCompletion, use: `source <(${program} completion bash)` },
  zsh: { write: zshCompletion, use: `source <(${program} completion zsh)` },
  fish: { write: fishCompletion, use: `${program} completion fish | source` },
}

/** The command that prints scripts by which a shell completes `main`, whatever commands and options that has. */
export const completionOf = (main: CommandDef): CommandDef =>
  defineCommand({
    meta: {
      name: 'completion',
      description: 'Print a script that completes commands and options in a shell.',
    },
    subCommands: Object.fromEntries(
      Object.entries(shells).map(([name, { write, use }]) => [
        name,
        async () =>
          defineCommand({
            meta: { name, description: `For ${name}. To use it: ${use}` },
            async run() {
              process.stdout.write(write(program, await commandTree(main)))
            },
          }),
      ]),
    ),
  })
