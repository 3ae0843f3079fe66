import { createEvents } from '../../cli/client/stats/events.ts'
import { createModel } from '../../cli/client/stats/model.ts'

/** A stand-in for the standard output, and what was written to it. */
export function output(isTTY: boolean, columns = 80) {
  let written = ''
  const stream = {
    isTTY,
    columns,
    write(text: string) {
      written += text
      return true
    },
  }
  return {
    stream: stream as unknown as NodeJS.WriteStream,
    take() {
      const taken = written
      written = ''
      return taken
    },
  }
}

/** A proxy that launches its first exit. */
export function running() {
  const events = createEvents()
  const model = createModel(events)
  events.emit({ type: 'exit.launching', session: 'a', region: 'eu-west-1' })
  return { events, model }
}
