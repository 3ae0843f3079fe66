import { formatBytes, formatDollars, formatRate } from '../client/stats/format.ts'
import type { Model } from '../client/stats/model.ts'
import { isAccepting } from '../client/stats/state.ts'

/** The line at the bottom of a terminal that follows what goes on. */
export interface LiveLine {
  draw(): void
  /** Makes room for a line that stays. */
  clear(): void
  close(): void
}

export const noLine: LiveLine = { draw() {}, clear() {}, close() {} }

/** Nothing at all where the output is no terminal, or one that cannot go back in its line. */
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
      output.write(`\r${summary(model, local).slice(0, output.columns - 1)}\x1b[K`)
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

function summary({ exits, sleep, totals, rate, cost }: Model, local: boolean): string {
  const accepting = exits.filter(isAccepting).length
  return [
    sleep.phase === 'awake' ? `${accepting} ${accepting === 1 ? 'exit' : 'exits'}` : sleep.phase,
    `${totals.active} ${totals.active === 1 ? 'connection' : 'connections'}`,
    `down ${formatRate(rate.down)}, up ${formatRate(rate.up)}`,
    `${formatBytes(totals.bytesDown + totals.bytesUp)} in all`,
    local ? `$0 here (on AWS about ${formatDollars(cost().total)})` : `about ${formatDollars(cost().total)}`,
  ].join(' · ')
}
