import { createEvents, type ProxyEvent } from '../../cli/client/stats/events.ts'
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

/** Its launch fails. */
export const launchFailed: Extract<ProxyEvent, { type: 'exit.failed' }> = {
  type: 'exit.failed',
  session: 'a',
  region: 'eu-west-1',
  step: 'offer',
  code: 'E_BUCKET_NOT_FOUND',
  message: 'the bucket b does not exist',
  retryMs: 4_000,
  repeated: false,
}
