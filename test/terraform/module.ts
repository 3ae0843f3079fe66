// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are Terraform's.

import { fileURLToPath } from 'node:url'
import { NatProxyStack } from '../../cdktf/stack.ts'

// The module, as JSON synthesis gives it.

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json }
/** The arguments of one block; tests say by comparison what type each has. */
export type Block = { [argument: string]: Json }
type Blocks = Record<string, Block>

export const folder = fileURLToPath(new URL('../../terraform/', import.meta.url))

export const { terraform, variable, output, data, locals, resource } = JSON.parse(
  JSON.stringify(new NatProxyStack().toTerraform(), (key, value) => (key === '//' ? undefined : value)),
) as {
  terraform: Block
  variable: Blocks
  output: Blocks
  data: Record<string, Blocks>
  locals: Block
  resource: Record<string, Blocks>
}

/** The arguments of a resource given by its address, less those that every per-region resource has. */
export function regional(address: string): Block {
  const [type = '', name = ''] = address.split('.')
  const { for_each, region, ...own } = resource[type]?.[name] ?? {}
  if (for_each !== '${toset(local.regions)}' || region !== '${each.key}')
    throw new Error(`${address} is not there once for each region`)
  return own
}

/** The statements of a policy document given by its name, each with its effect. */
export function statements(name: string): Block[] {
  const { statement } = data.aws_iam_policy_document?.[name] ?? {}
  if (!Array.isArray(statement)) throw new Error(`there is no policy document ${name}`)
  return (statement as Block[]).map(each => ({ effect: 'Allow', ...each }))
}
