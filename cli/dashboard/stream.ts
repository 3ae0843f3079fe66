import type { Events, ProxyEvent } from '../client/stats/events.ts'
import type { Model } from '../client/stats/model.ts'

export interface LiveStreamOptions {
  model: Model
  events: Events
  /** What a page must show to change something: no other site can read this stream. */
  token: string
  onEnd(): void
}

/** Changes of exits are sent at once, but those within this time together. Milliseconds. */
const togetherMs = 50

/**
 * Server-sent events: `hello` with the token, `state` with all there is, then an `update` with what is new
 * with every sample and whenever an exit comes, goes or falls silent. A reader that is too slow gets fewer.
 */
export function liveStream({ model, events, token, onEnd }: LiveStreamOptions): Response {
  let unsubscribe = () => {}
  let timer: ReturnType<typeof setTimeout> | undefined
  const stream = new ReadableStream<string>(
    {
      start(controller) {
        let sentAt: number | undefined
        const send = (name: string, data: object) =>
          controller.enqueue(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`)
        const update = () => {
          clearTimeout(timer)
          timer = undefined
          // What is not sent now comes with the next one.
          if ((controller.desiredSize ?? 0) <= 0) return
          const state = model.state(sentAt)
          send(sentAt === undefined ? 'state' : 'update', state)
          sentAt = state.now
        }
        controller.enqueue('retry: 1000\n')
        send('hello', { token })
        update()
        unsubscribe = events.subscribe(event => {
          if (event.type === 'traffic.sampled') update()
          else if (isUrgent(event)) timer ??= setTimeout(update, togetherMs)
        })
      },
      cancel() {
        clearTimeout(timer)
        unsubscribe()
        onEnd()
      },
    },
    new CountQueuingStrategy({ highWaterMark: 8 }),
  )
  return new Response(stream, { headers: { 'content-type': 'text/event-stream' } })
}

// --- internal ---

const isUrgent = ({ type }: ProxyEvent) =>
  ['exit.', 'fleet.', 'site.'].some(kind => type.startsWith(kind)) || type === 'proxy.ready'
