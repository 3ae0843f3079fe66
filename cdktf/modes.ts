import { type Mode, modes } from '../function/modes.ts'

// What the function is made with, apart from what the importer sets.

/** Sizes of the function by mode, in the units that Lambda has them in: MB and seconds. */
export const MODES = Object.fromEntries(
  Object.entries(modes).map(([mode, { memory, timeoutMs }]) => [
    mode,
    { memory_mb: memory, timeout_s: timeoutMs / 1000 },
  ]),
) as Record<Mode, { memory_mb: number; timeout_s: number }>

/** A young generation of 1 MB: a third of the memory at the same speed, so that 128 MB suffice. */
export const NODE_OPTIONS = '--max-semi-space-size=1'
