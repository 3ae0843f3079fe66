import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** Memory and open files of some processes together, by Linux's /proc. */
export interface Usage {
  processes: number
  /** Resident memory in MB. */
  memory: number
  files: number
}

export function usageOf(pids: readonly number[]): Usage {
  const usage: Usage = { processes: 0, memory: 0, files: 0 }
  for (const pid of pids) {
    try {
      const [, kilobytes] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
      usage.files += readdirSync(`/proc/${pid}/fd`).length
      usage.memory += Number(kilobytes ?? 0) / 1024
      usage.processes++
    } catch {
      // It has just ended.
    }
  }
  return usage
}

/** The processes that a process has started and that are still there. */
export function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(pid => {
      try {
        // After the name, which may hold anything: state, then the parent.
        const [, ppid] = readFileSync(`/proc/${pid}/stat`, 'utf8')
          .replace(/^.*\) /s, '')
          .split(' ')
        return Number(ppid) === parent
      } catch {
        return false
      }
    })
}

/** What a process has open, by kind, for a report of a leak. */
export function kindsOfFiles(pid: number): Record<string, number> {
  const kinds: Record<string, number> = {}
  for (const name of readdirSync(`/proc/${pid}/fd`)) {
    try {
      const kind = readlinkSync(`/proc/${pid}/fd/${name}`).replace(/[:[].*$/, '')
      kinds[kind] = (kinds[kind] ?? 0) + 1
    } catch {
      // Closed meanwhile.
    }
  }
  return kinds
}
