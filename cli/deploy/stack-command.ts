import { parseArgs } from 'node:util'
import { consola } from 'consola'
import { parseStunServer } from '../../tunnel/nat/stun/server-name.ts'
import { type Config, loadConfig } from '../config/load.ts'
import { optionsFor } from '../config/options.ts'
import { isTerminal } from '../input/prompt.ts'
import { UsageError } from '../input/usage-error.ts'
import { stateFolder } from '../places/folders.ts'
import { change, type Outcome } from './change.ts'
import { reservedConcurrency } from './concurrency.ts'
import { layOut, lock } from './folder.ts'
import { findNeeds } from './needs.ts'

/** The options that deploy and destroy share. */
export const stackOptions = {
  ...optionsFor('deployment.stack_name', 'aws.regions', 'aws.profile', 'deployment.terraform'),
  'backend-config': {
    type: 'string',
    valueHint: 'key=value',
    repeated: true,
    description:
      'Keep the Terraform state in S3: a setting, or a file of settings, for "terraform init"; may be given several times',
  },
  yes: {
    type: 'boolean',
    alias: 'y',
    default: false,
    description: 'Do not ask; needed where there is no terminal',
  },
  plan: { type: 'boolean', default: false, description: 'Show the plan, and change nothing' },
  verbose: {
    type: 'boolean',
    alias: 'v',
    default: false,
    description: 'Show the plan with all attributes',
  },
} as const

export interface StackCommand {
  config: Config
  name: string
  folder: string
  /** Arguments of `terraform init -backend-config`. */
  backend: string[]
  /** Plans, asks and applies, under the stack's lock. */
  perform(what: 'deploy' | 'destroy'): Promise<Outcome>
}

/**
 * Reads what deploy and destroy are given. Throws a UsageError for what is wrong with it, and where a question
 * could not be asked.
 */
export async function readStackCommand(
  args: { yes: boolean; plan: boolean; verbose: boolean },
  rawArgs: string[],
): Promise<StackCommand> {
  if (!args.yes && !args.plan && !isTerminal())
    throw new UsageError('there is no terminal to ask on: give --yes, or --plan to see what would change')
  const config = await loadConfig({ flags: args as Record<string, unknown> })
  const name = config.values['deployment.stack_name']
  const folder = stateFolder(name)
  const backend = backendSettings(rawArgs)
  return { config, name, folder, backend, perform }

  async function perform(what: 'deploy' | 'destroy'): Promise<Outcome> {
    const { program, regions, account, arn } = await findNeeds(config)
    consola.info(`Stack ${name} in ${regions.join(', ')}, account ${account} (as ${arn})`)
    const unlock = await lock(folder, what)
    try {
      const reserved = what === 'deploy' ? await reservedConcurrency(config, regions) : undefined
      const layout = {
        variables: { ...variables(config, regions), ...(reserved && { reserved_concurrency: reserved }) },
        architecture: what === 'deploy' ? config.values['deployment.architecture'] : undefined,
        backend: backend.length > 0,
      }
      return await change({
        program,
        folder,
        upgrade: await layOut(folder, layout),
        region: regions[0]!,
        destroy: what === 'destroy',
        backend,
        planOnly: args.plan,
        question: args.yes ? undefined : questions[what](name),
        verbose: args.verbose,
      })
    } finally {
      await unlock()
    }
  }
}

// --- internal ---

const questions = {
  deploy: (name: string) => `Apply this to ${name}?`,
  destroy: (name: string) => `Destroy ${name}? This cannot be undone.`,
}

/** The inputs of terraform/. */
const variables = ({ values, sources }: Config, regions: string[]) => ({
  name: values['deployment.stack_name'],
  mode: values['deployment.mode'],
  architecture: values['deployment.architecture'],
  regions,
  ...(sources['proxy.stun_server'].kind !== 'default' && {
    stun_servers: values['proxy.stun_server'].map(parseStunServer).map(({ host, port }) => `${host}:${port}`),
  }),
})

/** citty keeps the last of an option that is given several times. */
function backendSettings(rawArgs: string[]): string[] {
  const options = { 'backend-config': { type: 'string', multiple: true } } as const
  const { values } = parseArgs({ args: rawArgs, options, strict: false })
  return (values['backend-config'] ?? []).map(String)
}
