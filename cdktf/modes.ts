import { heap, type Mode, modes, nodeOptions } from '../function/modes.ts'
import { hcl } from './hcl.ts'

// What the function is made with, apart from what the importer sets.

/** Sizes of the function by mode, in the units that Lambda has them in: MB and seconds. */
export const MODES = Object.fromEntries(
  Object.entries(modes).map(([mode, { memory, timeoutMs }]) => [
    mode,
    { memory_mb: memory, timeout_s: timeoutMs / 1000 },
  ]),
) as Record<Mode, { memory_mb: number; timeout_s: number }>

/** The memory that it gets, as an expression. */
export const MEMORY_MB = 'coalesce(var.memory_mb, local.modes[var.mode].memory_mb)'

/** As `oldSpaceMb` works it out for the embedded cloud. */
export const NODE_OPTIONS = nodeOptions(hcl(`floor(local.memory_mb * ${heap.oldSpaceShare})`))
