/** Sizes of the function by mode: memory in MB, which also sets its share of a core, and its longest life in seconds. */
export const MODES = {
  test: { memory_mb: 128, timeout_s: 120 },
  normal: { memory_mb: 256, timeout_s: 600 },
  performance: { memory_mb: 512, timeout_s: 900 },
}
