import { spawnSync } from 'node:child_process'

const marker = 'LAMBDA_NAT_PROXY_TEST_NETWORK'

/**
 * Runs this test file in a network of its own (a network namespace) in which every address there is, public or not,
 * is this machine's: what a test must not reach could be reached there. True inside it. Outside it runs the file again, within, and ends with
 * that run's exit code; where the system permits none it says so loudly and gives false.
 */
export function inOwnNetwork(): boolean {
  if (process.env[marker]) return true
  const everythingHere = [
    'ip link set lo up',
    'ip route add local 0.0.0.0/0 dev lo',
    'ip -6 route add local ::/0 dev lo',
  ].join(' && ')
  const within = (...command: string[]) =>
    spawnSync('unshare', ['--net', 'sh', '-c', `${everythingHere} && exec "$@"`, 'sh', ...command], {
      stdio: command[0] === 'true' ? 'pipe' : 'inherit',
      env: { ...process.env, [marker]: 'yes' },
      encoding: 'utf8',
    })
  const trial = within('true')
  if (trial.status === 0) process.exit(within(process.execPath, process.argv[1]!).status ?? 1)
  const why = trial.stderr.trim() || trial.error?.message
  console.error(
    `\n*** LEFT OUT: ${process.argv[1]}: this system permits no network namespace, or not to us: ${why}\n`,
  )
  return false
}
