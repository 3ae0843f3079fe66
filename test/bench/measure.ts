import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** What processes have used since they began, by the operating system's count. */
export interface Usage {
  /** User and system time together, in seconds. */
  cpuSeconds: number
  /** The most resident memory that any one of them ever had, in megabytes of 10^6 bytes. */
  peakMb: number
}

/** Adds up the CPU of processes and takes the largest memory of one; what has ended counts as nothing. */
export function usage(pids: readonly number[]): Usage {
  const each = pids.map(pid => ({ cpuSeconds: cpuSeconds(pid), peakMb: peakMb(pid) }))
  return {
    cpuSeconds: each.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
    peakMb: Math.max(0, ...each.map(({ peakMb }) => peakMb)),
  }
}

/** The children of a process, their children, and so on. */
export function descendants(pid: number): number[] {
  const children = new Map<number, number[]>()
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const parent = Number(stat(Number(entry))[parentField])
    children.set(parent, [...(children.get(parent) ?? []), Number(entry)])
  }
  const below = (parent: number): number[] =>
    (children.get(parent) ?? []).flatMap(child => [child, ...below(child)])
  return below(pid)
}

/** The file that a process runs, or nothing when it has ended. */
export function executableOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/exe`)
  } catch {
    return undefined
  }
}

// --- internal ---

/** USER_HZ, which Linux holds at 100 towards programs whatever the kernel's own tick is. */
const ticksPerSecond = 100
/** Places in /proc/<pid>/stat behind the program's name (proc(5)). */
const parentField = 1
const userField = 11
const systemField = 12

function cpuSeconds(pid: number): number {
  const fields = stat(pid)
  return (Number(fields[userField] ?? 0) + Number(fields[systemField] ?? 0)) / ticksPerSecond
}

/** VmHWM, which the kernel keeps: no sampling can miss a peak. */
const peakMb = (pid: number) =>
  (Number(/^VmHWM:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) * 1024) / 1e6

/** The fields behind the name: that is in brackets and may hold anything. */
function stat(pid: number): string[] {
  const text = read(`/proc/${pid}/stat`)
  return text.slice(text.lastIndexOf(')') + 2).split(' ')
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
