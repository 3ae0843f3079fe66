import { execFile } from 'node:child_process'
import { basename } from 'node:path'
import { promisify } from 'node:util'
import { UsageError } from '../input/usage-error.ts'
import { type Ran, runGuarded } from './guarded.ts'

/** Terraform or OpenTofu on this machine. */
export interface Terraform {
  path: string
  name: 'Terraform' | 'OpenTofu'
  version: string
}

/** Below this version the module's validations do not parse. */
const oldest = [1, 5]

/** Finds the one that is named, or else terraform or tofu on PATH. Throws an Error that says how to get one. */
export async function findTerraform(named: string | undefined): Promise<Terraform> {
  const path = named === undefined ? (Bun.which('terraform') ?? Bun.which('tofu')) : Bun.which(named)
  if (!path && named !== undefined)
    throw new UsageError(`there is no program ${named}: name Terraform or OpenTofu with --terraform`)
  if (!path) throw new Error(howToGet)
  const version = await versionOf(path)
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major < oldest[0]! || (major === oldest[0] && minor < oldest[1]!))
    throw new Error(
      `${path} is version ${version}, and ${oldest.join('.')} is the oldest that will do. ${howToGet}`,
    )
  return { path, name: basename(path).startsWith('tofu') ? 'OpenTofu' : 'Terraform', version }
}

/**
 * Runs a command in a stack's folder, as runGuarded does, and never asks anything. `region` is the one that the
 * provider is configured for.
 */
export function terraform(
  { path }: Terraform,
  folder: string,
  region: string,
  args: string[],
  onLine: (line: string) => void = () => {},
): Promise<Ran> {
  const { TF_WORKSPACE: _, ...inherited } = process.env
  return runGuarded(path, args, {
    cwd: folder,
    onLine,
    env: {
      ...inherited,
      TF_IN_AUTOMATION: '1',
      TF_INPUT: '0',
      CHECKPOINT_DISABLE: '1',
      AWS_REGION: region,
    },
  })
}

// --- internal ---

const howToGet =
  'Deploying needs Terraform 1.5 or later, or OpenTofu: get one from https://developer.hashicorp.com/terraform/install ' +
  'or https://opentofu.org/docs/intro/install, put it on PATH or name it with --terraform, and run this again.'

async function versionOf(path: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(path, ['version', '-json'], { timeout: 30_000 })
    const { terraform_version: version } = JSON.parse(stdout) as { terraform_version?: unknown }
    if (typeof version === 'string') return version
  } catch {}
  throw new Error(`${path} does not answer as Terraform or OpenTofu does. ${howToGet}`)
}
