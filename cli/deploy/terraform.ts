import { execFile } from 'node:child_process'
import { basename } from 'node:path'
import { promisify } from 'node:util'
import { UsageError } from '../input/usage-error.ts'
import { DeployError } from './errors.ts'
import { type GuardedResult, runGuarded } from './run-guarded.ts'

/** Terraform or OpenTofu on this machine. */
export interface Terraform {
  path: string
  name: 'Terraform' | 'OpenTofu'
  version: string
}

/** Below this version the module's validations do not parse. */
const oldest = [1, 5]

/** Finds the one that is named, or else terraform or tofu on PATH. Throws a DeployError. */
export async function findTerraform(named: string | undefined): Promise<Terraform> {
  const path = named === undefined ? (Bun.which('terraform') ?? Bun.which('tofu')) : Bun.which(named)
  if (!path && named !== undefined)
    throw new UsageError(`there is no program ${named}`, { code: 'E_TERRAFORM_UNUSABLE' })
  if (!path) throw new DeployError('E_TERRAFORM_NOT_FOUND', 'neither terraform nor tofu was found on PATH')
  const version = await versionOf(path)
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major < oldest[0]! || (major === oldest[0] && minor < oldest[1]!))
    throw new DeployError(
      'E_TERRAFORM_TOO_OLD',
      `${path} is version ${version}, and ${oldest.join('.')} or later is needed`,
    )
  return { path, name: basename(path).startsWith('tofu') ? 'OpenTofu' : 'Terraform', version }
}

export interface TerraformCommand {
  program: Terraform
  /** The stack's folder. */
  folder: string
  /** The region that the provider is configured for. */
  region: string
  args: string[]
  onLine: (line: string) => void
}

/** Runs a command in a stack's folder, as runGuarded does, without questions. */
export function runTerraform({
  program,
  folder,
  region,
  args,
  onLine,
}: TerraformCommand): Promise<GuardedResult> {
  const { TF_WORKSPACE: _, ...inherited } = process.env
  return runGuarded(program.path, args, {
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

async function versionOf(path: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(path, ['version', '-json'], { timeout: 30_000 })
    const { terraform_version: version } = JSON.parse(stdout) as { terraform_version?: unknown }
    if (typeof version === 'string') return version
  } catch {}
  throw new DeployError('E_TERRAFORM_UNUSABLE', `${path} does not answer as Terraform or OpenTofu does`)
}
