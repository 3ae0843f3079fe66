import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

// Holds processes to a share of a core, as Lambda does: by the kernel's CPU controller, version 2 or 1 of
// control groups, whichever this machine has.

const mount = '/sys/fs/cgroup'
/** Lambda's own period: within it a function runs until its share is used up, and then stands still. Microseconds. */
const periodUs = 20_000

/** Rejects where this machine lets nobody be held. */
export async function holdAvailable(): Promise<void> {
  if (process.getuid?.() !== 0) throw new Error('holding a process to a share of a core needs root')
  await hold([], 1).release()
}

/** Gives these processes, and what they start, so many cores together. Release it when they have ended. */
export function hold(pids: readonly number[], cores: number): { release(): Promise<void> } {
  const group = join(controller(), `bench-${process.pid}-${++made}`)
  const write = (file: string, value: string) => writeFileSync(join(group, file), value)
  const quotaUs = Math.round(cores * periodUs)
  mkdirSync(group)
  if (existsSync(join(group, 'cpu.max'))) write('cpu.max', `${quotaUs} ${periodUs}`)
  else {
    write('cpu.cfs_period_us', String(periodUs))
    write('cpu.cfs_quota_us', String(quotaUs))
  }
  for (const pid of pids) write('cgroup.procs', String(pid))
  return { release: () => remove(group) }
}

// --- internal ---

let made = 0
const goneLimitMs = 5_000
const againMs = 20

/** The folder of the CPU controller's root group. */
function controller(): string {
  const controllers = join(mount, 'cgroup.controllers')
  if (!existsSync(controllers)) {
    if (existsSync(join(mount, 'cpu/cpu.cfs_quota_us'))) return join(mount, 'cpu')
    throw new Error('this machine has no CPU controller of control groups')
  }
  if (!readFileSync(controllers, 'utf8').split(/\s/).includes('cpu'))
    throw new Error('the CPU controller of control groups is not given to us')
  // The root's children have it only when the root says so.
  writeFileSync(join(mount, 'cgroup.subtree_control'), '+cpu')
  return mount
}

/** A group can go when the last process has left it, which is a moment after its end. */
async function remove(group: string): Promise<void> {
  for (const until = performance.now() + goneLimitMs; ; await Bun.sleep(againMs))
    try {
      return rmdirSync(group)
    } catch (error) {
      if (performance.now() > until) throw error
    }
}
