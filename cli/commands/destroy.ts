import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { defineCommand } from 'citty'
import { consola } from 'consola'
import { DeployError } from '../deploy/errors.ts'
import { findStack } from '../deploy/find.ts'
import { clear } from '../deploy/folder.ts'
import { readStackCommand, type StackCommand, stackOptions } from '../deploy/stack-command.ts'
import { describe } from '../output/help.ts'
import { outcomeCodes, outcomeMeanings } from './outcome-codes.ts'

export default defineCommand({
  meta: describe({
    name: 'destroy',
    description: 'Remove the deployment from AWS, with everything in its buckets.',
    exits: outcomeMeanings,
    examples: [
      ['destroy --plan', 'Show what would be removed'],
      ['destroy', 'Show it, ask, and remove it'],
    ],
  }),
  args: stackOptions,
  async run({ args, rawArgs }) {
    const command = await readStackCommand(args, rawArgs)
    if (!(await hasState(command))) return lookElsewhere(command)
    const outcome = await command.perform('destroy')
    process.exitCode = outcomeCodes[outcome]
    if (outcome === 'refused') consola.info('Nothing was destroyed.')
    if (outcome === 'interrupted')
      consola.warn(
        'Interrupted. What is left is in the Terraform state: "lambda-nat-proxy destroy" continues from there.',
      )
    if (outcome === 'changed' || outcome === 'unchanged') {
      await clear(command.folder)
      consola.success(`Destroyed ${command.name}.`)
    }
  },
})

// --- internal ---

/** Whether there is a Terraform state: here with resources in it, or in S3. */
async function hasState({ folder, backend }: StackCommand): Promise<boolean> {
  if (
    backend.length > 0 ||
    ['backend.tf.json', 'errored.tfstate'].some(name => existsSync(join(folder, name)))
  )
    return true
  const path = join(folder, 'terraform.tfstate')
  if (!existsSync(path)) return false
  try {
    const { resources } = JSON.parse(await readFile(path, 'utf8')) as { resources?: unknown[] }
    return resources?.length !== 0
  } catch {
    // Terraform will say what is wrong with it.
    return true
  }
}

/** Without a state there is nothing to destroy, or it was deployed from elsewhere: AWS knows. */
async function lookElsewhere({ config, name, folder }: StackCommand): Promise<void> {
  const { asked, regions } = await findStack(config)
  if (regions.size === 0) {
    consola.info(`Nothing to destroy: there is no stack ${name} in ${asked.join(', ')}.`)
    return
  }
  throw new DeployError(
    'E_STATE_ELSEWHERE',
    `${name} is deployed in ${[...regions.keys()].join(', ')}, but its Terraform state is not on this machine (${folder})`,
  )
}
