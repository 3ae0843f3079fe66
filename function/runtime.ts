import { readFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import { getHeapStatistics } from 'node:v8'

/** What the function runs on; in megabytes of 1,048,576 bytes. */
export interface Runtime {
  node: string
  /** Of the machine, as the kernel tells it. */
  memory_total_mb: number
  /** What V8's heap may grow to. */
  heap_limit_mb: number
  /** Open files that the process may have; undefined where the system does not say. */
  descriptors?: number
}

export function readRuntime(): Runtime {
  return {
    node: process.version,
    memory_total_mb: megabytes(totalmem()),
    heap_limit_mb: megabytes(getHeapStatistics().heap_size_limit),
    ...(descriptors !== undefined && { descriptors }),
  }
}

/** Open files that this process may have; undefined where the system does not say. */
export const descriptors: number | undefined = descriptorLimit()

/** The most memory that the process has had resident so far, in megabytes. */
export const peakMemoryMb = (): number => Math.round(process.resourceUsage().maxRSS / 1024)

// --- internal ---

const megabytes = (bytes: number) => Math.round(bytes / 1024 ** 2)

/** Linux tells the soft limit in a table: name, soft, hard, unit. */
function descriptorLimit(): number | undefined {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8')
    const soft = /^Max open files +(\d+)/m.exec(limits)?.[1]
    return soft === undefined ? undefined : Number(soft)
  } catch {
    return undefined
  }
}
