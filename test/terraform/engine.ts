import { spawn, spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { folder } from './module.ts'

/** Terraform or OpenTofu, with an AWS provider. */
export interface Engine {
  /** Runs a command in a folder, never asking anything; at most 5 minutes. */
  run(
    cwd: string,
    args: string[],
    env?: NodeJS.ProcessEnv,
  ): { status: number | null; stdout: string; stderr: string }
  /** What makes another Terraform use the same provider. */
  environment: Record<string, string>
  close(): Promise<void>
}

// Kept from run to run, as the provider is some hundreds of megabytes.
const plugins = join(import.meta.dir, '../../node_modules/.cache/lambda-nat-proxy/terraform-plugins')
const program = ['terraform', 'tofu'].find(each => Bun.which(each))

/**
 * With the stand-in for the AWS provider that lies in provider/: it needs no network, knows every type that the module
 * and its examples name, and asks no AWS. Undefined, said loudly, where there is neither Terraform nor OpenTofu.
 */
export async function openStandIn(): Promise<Engine | undefined> {
  if (!program) return leftOut('there is neither terraform nor tofu on PATH')
  const work = mkdtempSync(join(tmpdir(), 'terraform-provider-'))
  const socket = join(work, 'socket')
  const provider = spawn(
    process.execPath,
    [join(import.meta.dir, 'provider/server.ts'), socket, ...typesUsed()],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  )
  const gone = new Promise<void>(resolve => provider.on('exit', () => resolve()))
  await Promise.race([
    new Promise(resolve => provider.stdout.once('data', resolve)),
    gone.then(() => Promise.reject(new Error('the stand-in for the AWS provider did not start'))),
  ])
  const reattach = {
    Protocol: 'grpc',
    ProtocolVersion: 6,
    Pid: provider.pid,
    Test: true,
    Addr: { Network: 'unix', String: socket },
  }
  const hosts = ['registry.terraform.io', 'registry.opentofu.org']
  const TF_REATTACH_PROVIDERS = JSON.stringify(
    Object.fromEntries(hosts.map(host => [`${host}/hashicorp/aws`, reattach])),
  )
  return {
    run: (cwd, args, env) => run([program, ...args], cwd, { TF_REATTACH_PROVIDERS, ...env }),
    environment: { TF_REATTACH_PROVIDERS },
    async close() {
      provider.stdin.end()
      await gone
      rmSync(work, { recursive: true })
    },
  }
}

/**
 * With the AWS provider itself; undefined, said loudly, where it cannot be had. A provider that is not on the network
 * is found as Terraform finds it: by a TF_CLI_CONFIG_FILE that names a mirror.
 */
export function findEngine(): Engine | undefined {
  if (!program) return leftOut('there is neither terraform nor tofu on PATH')
  mkdirSync(plugins, { recursive: true })
  const engine: Engine = {
    run: (cwd, args, env) =>
      // Two that fill the folder of plugins at once spoil it.
      run(args[0] === 'init' ? ['flock', plugins, program, ...args] : [program, ...args], cwd, {
        TF_PLUGIN_CACHE_DIR: plugins,
        ...env,
      }),
    environment: { TF_PLUGIN_CACHE_DIR: plugins },
    close: async () => {},
  }

  const trial = mkdtempSync(join(tmpdir(), 'terraform-trial-'))
  try {
    copyFileSync(join(folder, 'versions.tf'), join(trial, 'versions.tf'))
    const { status, stderr } = engine.run(trial, ['init', '-input=false', '-no-color'], {
      TF_REGISTRY_CLIENT_TIMEOUT: '5',
    })
    return status === 0
      ? engine
      : leftOut(`${program} cannot get the AWS provider: ${stderr.replace(/^.*?Error: |[\s│╷╵]+/gs, ' ')}`)
  } finally {
    rmSync(trial, { recursive: true })
  }
}

// --- internal ---

function run([name = '', ...args]: string[], cwd: string, env: NodeJS.ProcessEnv) {
  return spawnSync(name, args, {
    cwd,
    encoding: 'utf8',
    timeout: 300_000,
    env: { ...process.env, CHECKPOINT_DISABLE: '1', ...env },
  })
}

/** The types of AWS's that the module and its examples name, as the stand-in is told them. */
function typesUsed(): string[] {
  const files = [...new Bun.Glob('**/*.tf').scanSync(folder)].map(file =>
    readFileSync(join(folder, file), 'utf8'),
  )
  const found = files.flatMap(text => [...text.matchAll(/^(resource|data) "(aws_\w+)"/gm)])
  return [...new Set(found.map(([, kind, type]) => `${kind}:${type}`))]
}

function leftOut(why: string): undefined {
  console.error(`\n*** LEFT OUT: ${process.argv[1]}: ${why}\n`)
}
