import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { deployerPolicy } from './deployer-policy.ts'
import { declarations, plainBlock } from './hcl-blocks.ts'
import { block } from './hcl-text.ts'
import { withTables } from './readme.ts'
import { NatProxyStack, REQUIREMENTS } from './stack.ts'

/** The files of a Terraform module and the top-level blocks that each holds. */
const FILES = {
  'versions.tf': ['terraform'],
  'variables.tf': ['variable'],
  'main.tf': ['locals', 'data', 'resource'],
  'outputs.tf': ['output'],
}
const HEADER = '# Written by `bun run synth` from cdktf/. Edit there.\n'

/** The module's files by name: the same bytes on every machine, as `terraform fmt` would leave them. */
export function render(): Record<string, string> {
  const declared = declarations(new NatProxyStack())
  const locals = declared.filter(({ type }) => type === 'locals').flatMap(each => each.block.body.arguments)
  const blocks = [
    { type: 'terraform', block: plainBlock('terraform', REQUIREMENTS) },
    { type: 'locals', block: { head: 'locals', body: { arguments: locals, blocks: [] } } },
    ...declared.filter(({ type }) => type !== 'locals'),
  ]
  return Object.fromEntries(
    Object.entries(FILES).map(([file, types]) => {
      const held = types.flatMap(type => blocks.filter(each => each.type === type))
      return [file, [HEADER, ...held.map(each => `${block(each.block)}\n`)].join('\n')]
    }),
  )
}

/** The rest of what is written into the module's folder from the stacks, given what stands there now. */
const renderBeside = (readme: string): Record<string, string> => ({
  'README.md': withTables(readme),
  'deployer-policy.json': `${JSON.stringify(deployerPolicy(), null, 2)}\n`,
})

/** Writes the module into `folder`, which is made when it is not there; what else is in it stays. */
export const synth = (folder: string) => {
  mkdirSync(folder, { recursive: true })
  const readme = join(folder, 'README.md')
  const files = { ...render(), ...renderBeside(existsSync(readme) ? readFileSync(readme, 'utf8') : '') }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
}
