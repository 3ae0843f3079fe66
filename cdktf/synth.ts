import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { NatProxyStack } from './stack.ts'

/** The files of a Terraform module and the top-level blocks that each holds. */
const FILES = {
  'versions.tf.json': ['terraform'],
  'variables.tf.json': ['variable'],
  'main.tf.json': ['data', 'locals', 'resource'],
  'outputs.tf.json': ['output'],
}
const HEADER = 'Written by `bun run synth` from cdktf/. Edit there.'

/** CDKTF notes under "//" where in its tree each block comes from: noise to a reader, and its version would show. */
const withoutNotes = (key: string, value: unknown) => (key === '//' ? undefined : value)

/** The module's files by name: the same bytes on every machine. */
export const render = (): Record<string, string> => {
  const blocks: Record<string, unknown> = JSON.parse(
    JSON.stringify(new NatProxyStack().toTerraform(), withoutNotes),
  )
  const file = (names: string[]) => ({
    '//': HEADER,
    ...Object.fromEntries(names.map(name => [name, blocks[name]])),
  })
  return Object.fromEntries(
    Object.entries(FILES).map(([name, names]) => [name, `${JSON.stringify(file(names), null, 2)}\n`]),
  )
}

/** Writes the module into `folder`, which is made when it is not there; what else is in it stays. */
export const synth = (folder: string) => {
  mkdirSync(folder, { recursive: true })
  for (const [name, text] of Object.entries(render())) writeFileSync(join(folder, name), text)
}
