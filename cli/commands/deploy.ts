import { defineCommand } from 'citty'
import { consola } from 'consola'
import { optionsFor } from '../config/options.ts'
import { entry } from '../config/settings.ts'
import { readOutputs } from '../deploy/outputs.ts'
import { readStackCommand, type StackCommand, stackOptions } from '../deploy/stack-command.ts'
import { describe } from '../output/help.ts'
import { outcomeCodes, outcomeMeanings } from './outcome-codes.ts'
import { probeDeployment } from './probe-deployment.ts'

export default defineCommand({
  meta: describe({
    name: 'deploy',
    description:
      'Deploy the function to AWS, or update it, with Terraform or OpenTofu. Further inputs of the module are read from TF_VAR_<name>.',
    exits: outcomeMeanings,
    examples: [
      ['deploy --plan', 'Show what would change'],
      ['deploy --regions eu-central-1,us-east-1', 'An exit can start in either region'],
    ],
  }),
  args: {
    ...stackOptions,
    ...optionsFor('deployment.mode', 'deployment.architecture', 'deployment.probe', 'proxy.stun_server'),
  },
  async run({ args, rawArgs }) {
    const command = await readStackCommand(args, rawArgs)
    const outcome = await command.perform('deploy')
    process.exitCode = outcomeCodes[outcome]
    if (outcome === 'refused') consola.info('Nothing was changed.')
    if (outcome === 'interrupted')
      consola.warn(
        'Interrupted. What was made is in the Terraform state: "lambda-nat-proxy deploy" continues from there.',
      )
    if (outcome !== 'changed' && outcome !== 'unchanged') return
    await tellStack(command)
    if (command.config.values['deployment.probe']) await probeDeployment(command.config)
    whatNext(command)
  },
})

// --- internal ---

async function tellStack({ name }: StackCommand): Promise<void> {
  const outputs = await readOutputs(name)
  for (const [region, bucket] of Object.entries(outputs?.buckets ?? {}))
    consola.log(`  ${region}: function ${outputs?.functions[region]?.name}, bucket ${bucket}`)
}

function whatNext({ config, name, folder }: StackCommand): void {
  // What was given as an option has to be given again.
  const options = (['deployment.stack_name', 'aws.regions', 'aws.profile'] as const)
    .filter(key => config.sources[key].kind === 'flag')
    .map(key => ` --${entry(key).flag} ${[config.values[key]].flat().join(',')}`)
    .join('')
  consola.success(`Deployed ${name}. Next:

  lambda-nat-proxy run${options}
  lambda-nat-proxy status${options}

The least policy for others who run it:

  terraform -chdir=${folder} output -raw client_policy_json`)
}
