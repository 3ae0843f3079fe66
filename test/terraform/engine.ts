import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { folder } from './module.ts'

/** Terraform or OpenTofu, with the AWS provider that the module asks for. */
export interface Engine {
  /** Runs a command in a folder, never asking anything; at most 5 minutes. */
  run(
    cwd: string,
    args: string[],
    env?: NodeJS.ProcessEnv,
  ): { status: number | null; stdout: string; stderr: string }
}

// Kept from run to run, as the provider is some hundreds of megabytes.
const plugins = join(import.meta.dir, '../../node_modules/.cache/lambda-nat-proxy/terraform-plugins')

/**
 * What there is of the two, on PATH; undefined, said loudly, when there is neither or it cannot get the provider.
 * A provider that is not on the network is found as Terraform finds it: by a TF_CLI_CONFIG_FILE that names a mirror.
 */
export function findEngine(): Engine | undefined {
  const name = ['terraform', 'tofu'].find(each => Bun.which(each))
  if (!name) return leftOut('there is neither terraform nor tofu on PATH')
  mkdirSync(plugins, { recursive: true })
  const engine: Engine = {
    run(cwd, args, env) {
      // Two that fill the folder of plugins at once spoil it.
      const [program, ...options] = args[0] === 'init' ? ['flock', plugins, name, ...args] : [name, ...args]
      return spawnSync(program, options, {
        cwd,
        encoding: 'utf8',
        timeout: 300_000,
        env: { TF_PLUGIN_CACHE_DIR: plugins, ...process.env, CHECKPOINT_DISABLE: '1', ...env },
      })
    },
  }

  const trial = mkdtempSync(join(tmpdir(), 'terraform-trial-'))
  try {
    copyFileSync(join(folder, 'versions.tf'), join(trial, 'versions.tf'))
    const { status, stderr } = engine.run(trial, ['init', '-input=false', '-no-color'], {
      TF_REGISTRY_CLIENT_TIMEOUT: '5',
    })
    return status === 0
      ? engine
      : leftOut(`${name} cannot get the AWS provider: ${stderr.replace(/^.*?Error: |[\s│╷╵]+/gs, ' ')}`)
  } finally {
    rmSync(trial, { recursive: true })
  }
}

function leftOut(why: string): undefined {
  console.error(`\n*** LEFT OUT: ${process.argv[1]}: validate, plan and apply of terraform/: ${why}\n`)
}
