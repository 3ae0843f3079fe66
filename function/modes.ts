/** Sizes of the function by mode: memory in MB, which also sets its share of a core, and its longest life in milliseconds. */
export const modes = {
  test: { memory: 128, timeoutMs: 120_000 },
  normal: { memory: 256, timeoutMs: 600_000 },
  performance: { memory: 512, timeoutMs: 900_000 },
} as const

export type Mode = keyof typeof modes

export const modeNames = Object.keys(modes) as [Mode, ...Mode[]]
