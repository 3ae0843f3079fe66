/** Memory in MB and time limit in milliseconds of the function, by mode. */
export const modes = {
  test: { memory: 128, timeoutMs: 120_000 },
  normal: { memory: 256, timeoutMs: 600_000 },
  performance: { memory: 512, timeoutMs: 900_000 },
} as const

export type Mode = keyof typeof modes

export const modeNames = Object.keys(modes) as [Mode, ...Mode[]]
