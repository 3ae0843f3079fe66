// What the function is made with, apart from what the importer sets.

/** Sizes of the function by mode: memory in MB, which also sets its share of a core, and its longest life in seconds. */
export const MODES = {
  test: { memory_mb: 128, timeout_s: 120 },
  normal: { memory_mb: 256, timeout_s: 600 },
  performance: { memory_mb: 512, timeout_s: 900 },
}

/** A young generation of 1 MB: a third of the memory at the same speed, so that 128 MB suffice. */
export const NODE_OPTIONS = '--max-semi-space-size=1'
