import type { ProxyEvent } from '../client/stats/events.ts'
import { formatBytes, formatDuration } from '../client/stats/format.ts'
import type { Model } from '../client/stats/model.ts'
import { printer } from './event-lines.ts'
import { liveLine, noLine } from './live-line.ts'
import { say } from './say.ts'

/** Shows events as they come. */
export interface Reporter {
  event(event: ProxyEvent): void
  close(): void
}

export interface TerminalOptions {
  /** Every connection, the steps of each launch, session ids and the function's own log too. */
  verbose: boolean
  /** No live line; what is printed is for consola's level to say. */
  quiet?: boolean
  /** The exits run on this machine. */
  local?: boolean
  /** A service manager reads it: plain lines, and nothing of keys to press. */
  managed?: boolean
}

/**
 * Lines for a person: what comes up and what goes wrong. On a terminal the line below them follows what goes on.
 */
export function terminalReporter(
  { verbose, quiet = false, local = false, managed = false }: TerminalOptions,
  model: Model,
): Reporter {
  const print = printer({ verbose, local, managed }, model)
  const live = quiet ? noLine : liveLine(model, local)
  let ready = false
  return {
    event(event) {
      if (event.type === 'proxy.ready') ready = true
      if (event.type === 'traffic.sampled') return live.draw()
      if (!verbose && isDetail(event)) return
      live.clear()
      print(event)
      live.draw()
    },
    close() {
      live.close()
      if (!ready) return
      const { bytesDown, bytesUp } = model.totals
      const totals = [
        formatDuration(model.uptimeMs),
        formatBytes(bytesDown + bytesUp),
        ...(model.distinctAddresses > 1 ? [`${model.distinctAddresses} distinct addresses`] : []),
      ]
      say('success', `Stopped. ${totals.join(', ')}`)
    },
  }
}

// --- internal ---

/** What is shown with `verbose` only: what happens to each connection, and the function's log but for its errors. */
const isDetail = (event: ProxyEvent) =>
  event.type === 'exit.step' ||
  event.type === 'connection.opened' ||
  event.type === 'connection.closed' ||
  (event.type === 'function.log' && event.level !== 'ERROR')
