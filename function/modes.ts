/** Sizes of the function by mode: memory in MB, which also sets its share of a core, and its longest life in milliseconds. */
export const modes = {
  test: { memory: 128, timeoutMs: 120_000 },
  normal: { memory: 256, timeoutMs: 600_000 },
  performance: { memory: 512, timeoutMs: 900_000 },
} as const

export type Mode = keyof typeof modes

export const modeNames = Object.keys(modes) as [Mode, ...Mode[]]

/**
 * V8's heap, by the function's memory. Lambda sizes both generations itself unless NODE_OPTIONS names one of them, and
 * then neither: so both are named. Garbage is short-lived and small here: a young generation of 1 MB takes a third of the
 * memory at the same speed. The old one holds far less than half: the rest is for what is outside the heap.
 */
export const heap = { semiSpaceMb: 1, oldSpaceShare: 0.5 } as const

/** The function's NODE_OPTIONS; `oldSpaceMb` may be an expression of Terraform's. */
export const nodeOptions = (oldSpaceMb: number | string): string =>
  `--max-semi-space-size=${heap.semiSpaceMb} --max-old-space-size=${oldSpaceMb}`

/** V8's limit for its old generation in MB, for a function of so much memory. */
export const oldSpaceMb = (memoryMb: number): number => Math.floor(memoryMb * heap.oldSpaceShare)
