import { formatRate } from '../client/stats/format.ts'

/** A progress bar at the bottom of the terminal. */
export interface Bar {
  /** `share` from 0 to 1; a rate in bytes a second where there is one. */
  draw(label: string, share: number, bytesPerSecond?: number): void
  clear(): void
}

const width = 30

/** Does nothing where the output is not a terminal, or one that cannot return to the start of its line. */
export function progressBar(output: NodeJS.WriteStream = process.stderr): Bar {
  if (!output.isTTY || process.env.TERM === 'dumb') return { draw() {}, clear() {} }
  return {
    draw(label, share, bytesPerSecond) {
      const full = Math.round(Math.min(Math.max(share, 0), 1) * width)
      const bar = `${'█'.repeat(full)}${'░'.repeat(width - full)}`
      const rate = bytesPerSecond === undefined ? '' : `  ${formatRate(bytesPerSecond)}`
      output.write(`\r${`${label.padEnd(9)} ${bar}${rate}`.slice(0, output.columns - 1)}\x1b[K`)
    },
    clear: () => void output.write('\r\x1b[K'),
  }
}
