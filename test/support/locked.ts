import { type SpawnSyncReturns, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'

/** What tests of this checkout keep from run to run. */
export const cache = join(import.meta.dir, '../../node_modules/.cache/lambda-nat-proxy')

/** Debian's packages are the machine's, and are installed by one checkout at a time; the rest is the checkout's own. */
const ofMachine = '/var/lock'

/**
 * Runs a command to its end, or to the limit (milliseconds), while no other test runs one under the same name. Lock
 * files lie where every test finds them: the folder of temporary files is each test's own.
 */
export function locked(
  name: string,
  command: readonly string[],
  timeout: number,
  env?: NodeJS.ProcessEnv,
): SpawnSyncReturns<string> {
  mkdirSync(cache, { recursive: true })
  const lock = join(
    name === 'apt' && existsSync(ofMachine) ? ofMachine : cache,
    `lambda-nat-proxy-${name}.lock`,
  )
  return spawnSync('flock', [lock, ...command], {
    encoding: 'utf8',
    timeout,
    env: { ...process.env, ...env },
  })
}
