import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { CloudError } from './errors.ts'

/** What runs a JavaScript file: a program and what it needs in its environment. */
export interface Runtime {
  program: string
  environment: Record<string, string>
}

/** The lowest major version of Node that the function is bundled for. */
const lowestNode = 22

/**
 * The runtime of the function's processes: the Node that was named (a CloudError when it is none, or too
 * old), else `node` on PATH when it is new enough, else Bun: the executable that this is, which runs
 * files like `bun` under BUN_BE_BUN.
 */
export async function findRuntime(
  named: string | undefined = process.env.LAMBDA_NAT_PROXY_NODE,
): Promise<Runtime> {
  const version = await nodeVersion(named ?? 'node')
  if (version !== undefined && version >= lowestNode) return { program: named ?? 'node', environment: {} }
  if (named === undefined) return { program: process.execPath, environment: { BUN_BE_BUN: '1' } }
  const found = version === undefined ? 'does not run as Node' : `is Node ${version}`
  throw new CloudError(
    `${named} ${found}; give --node the path of Node ${lowestNode} or later, or leave it out`,
  )
}

// --- internal ---

async function nodeVersion(program: string): Promise<number | undefined> {
  try {
    const { stdout } = await promisify(execFile)(program, ['--version'], { timeout: 5_000 })
    const major = /^v(\d+)\./.exec(stdout)?.[1]
    return major === undefined ? undefined : Number(major)
  } catch {
    return undefined
  }
}
