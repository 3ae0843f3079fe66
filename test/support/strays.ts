import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** Who is killed, and who is being started, is done with that in some milliseconds. Milliseconds. */
const limitMs = 5_000

/**
 * Kills all that keep their temporary files in this folder, whatever group they are in: browsers begin groups of their
 * own. Linux tells; elsewhere nothing is done. Returns when none is left.
 */
export function killStrays(folder: string): void {
  if (!existsSync('/proc/self/environ')) return
  const limit = performance.now() + limitMs
  for (let isDone = false; !isDone && performance.now() < limit; ) {
    isDone = true
    for (const pid of readdirSync('/proc').map(Number)) {
      if (!(pid > 1)) continue
      const owner = ownerOf(pid, folder)
      if (owner === 'unknown' || (owner === 'folder' && kill(pid))) isDone = false
    }
    // Those that they started meanwhile are not missed either.
    if (!isDone) Bun.sleepSync(1)
  }
}

/** Whether a process is one of this folder's; unknown while its program is being started. Linux only. */
export function ownerOf(pid: number, folder: string): 'folder' | 'other' | 'unknown' {
  const environment = environmentOf(pid)
  if (environment?.includes(`TMPDIR=${folder}`)) return 'folder'
  return environment === '' && isStarting(pid) ? 'unknown' : 'other'
}

/** Whether it was sent. */
export function kill(id: number): boolean {
  try {
    return process.kill(id, 'SIGKILL')
  } catch {
    // It has ended.
    return false
  }
}

// --- internal ---

/** Undefined when it has ended, or is somebody else's. */
function environmentOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1')
  } catch {
    return undefined
  }
}

/**
 * Whether a process whose environment was seen empty has one: in the middle of an exec it is not there yet, and who
 * started the program goes on before it is. Kernel threads have no program, and some programs are given nothing
 * (proc_pid_stat(5): env_start and env_end, the fields 50 and 51).
 */
function isStarting(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name, in parentheses, may contain anything.
    const [start, end] = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(47, 49)
    return end === '0' ? readlinkSync(`/proc/${pid}/exe`) !== '' : start !== end
  } catch {
    return false
  }
}
