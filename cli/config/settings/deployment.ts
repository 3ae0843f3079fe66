import { type Architecture, architectures } from '../../../function/architectures.ts'
import { type Mode, modeNames, modes } from '../../../function/modes.ts'
import * as schema from '../schema.ts'
import { setting } from './setting.ts'

const sizes = modeNames
  .map(name => `${name} (${modes[name].memory} MB, ${modes[name].timeoutMs / 60_000} min)`)
  .join(', ')

/** What `deploy` deploys. */
export const deploymentSettings = {
  'deployment.stack_name': setting<string>({
    schema: schema.stackName,
    kind: 'text',
    default: 'lambda-nat-proxy',
    flag: 'name',
    valueHint: 'name',
    about: 'Name of the deployment, from which everything in AWS is named',
  }),
  'deployment.mode': setting<Mode>({
    schema: schema.mode,
    kind: 'text',
    default: 'normal',
    flag: 'mode',
    valueHint: 'mode',
    about: `Size of the function: ${sizes}`,
  }),
  'deployment.architecture': setting<Architecture>({
    schema: schema.architecture,
    kind: 'text',
    default: 'x86_64',
    flag: 'architecture',
    // Terraform reads it, too, and the zip must be of the same.
    environment: ['TF_VAR_architecture'],
    valueHint: 'processor',
    about: `Processor of the function: ${architectures.join(', ')}; arm64 costs a fifth less and has the native engine only`,
  }),
  'deployment.terraform': setting<string | undefined>({
    schema: schema.text,
    kind: 'text',
    default: undefined,
    flag: 'terraform',
    valueHint: 'path',
    about: 'Terraform or OpenTofu to deploy with (default: terraform or tofu on PATH)',
    example: '/usr/local/bin/tofu',
  }),
  'deployment.probe': setting<boolean>({
    schema: schema.yesNo,
    kind: 'yesNo',
    default: true,
    flag: 'probe',
    valueHint: 'true',
    about: 'Test what was deployed with a session in each region',
    aboutNot: 'Leave out the test session',
  }),
} as const
