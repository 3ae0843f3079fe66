import {
  formatBytes,
  formatCount,
  formatDollars,
  formatLocalCost,
  formatRate,
} from '../client/stats/format.ts'
import type { Model } from '../client/stats/model.ts'
import { isAccepting } from '../client/stats/state.ts'

/** The status line at the bottom of a terminal. */
export interface LiveLine {
  draw(): void
  /** Removes it, so that a permanent line can be printed. */
  clear(): void
  close(): void
}

export const noLine: LiveLine = { draw() {}, clear() {}, close() {} }

/** Does nothing where the output is not a terminal, or one that cannot return to the start of its line. */
export function liveLine(
  model: Model,
  local: boolean,
  output: NodeJS.WriteStream = process.stdout,
): LiveLine {
  if (!output.isTTY || process.env.TERM === 'dumb') return noLine
  let closed = false
  let shown = false
  const clear = () => {
    if (shown) output.write('\r\x1b[K')
    shown = false
  }
  return {
    draw() {
      if (closed || (model.exits.length === 0 && model.sleep.phase === 'awake')) return
      // One write that puts the new text over the old one, and no wider than the terminal: no flicker.
      output.write(`\r${fitting(summary(model, local), output.columns - 1)}\x1b[K`)
      shown = true
    },
    clear,
    close() {
      clear()
      closed = true
    },
  }
}

// --- internal ---

/** A part of the line, and its short form for narrow terminals; the last parts are left out first. */
type Part = readonly [text: string, brief?: string]

/** As many whole parts as fit: in brief from the right on, then without the last ones. */
function fitting(parts: readonly Part[], width: number): string {
  const texts = parts.map(([text]) => text)
  const line = () => texts.join(' · ')
  for (let i = parts.length - 1; i >= 0 && line().length > width; i--) texts[i] = parts[i]![1] ?? texts[i]!
  while (texts.length > 1 && line().length > width) texts.pop()
  return line().slice(0, width)
}

function summary({ exits, sleep, totals, rate, cost }: Model, local: boolean): Part[] {
  const accepting = exits.filter(isAccepting).length
  return [
    [sleep.phase === 'awake' ? `${accepting} ${accepting === 1 ? 'exit' : 'exits'}` : sleep.phase],
    [`${formatCount(totals.active)} ${totals.active === 1 ? 'connection' : 'connections'}`],
    [`down ${formatRate(rate.down)}, up ${formatRate(rate.up)}`],
    [`${formatBytes(totals.bytesDown + totals.bytesUp)} in all`],
    local ? [formatLocalCost(cost().total), '$0 here'] : [`about ${formatDollars(cost().total)}`],
  ]
}
