import type { Server } from 'bun'
import * as v from 'valibot'
import type { Events } from '../client/stats/events.ts'
import type { Model } from '../client/stats/model.ts'
import { isAccepting, tokenHeader } from '../client/stats/state.ts'
import { hostAllowed } from '../input/allowed-host.ts'
import { defaultDashboardPort } from '../input/dashboard-port.ts'
import { ListenError, listenError } from '../input/listen-error.ts'
import { isOwnRequest, newToken, safeHeaders, tokenMatches } from './guard.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { pageFiles } from './page-files.ts'
import { liveStream } from './stream.ts'

/** So many ports from the default one on are tried. */
const portsTried = 100
/** Pages that are kept up to date at once. */
const maxStreams = 32

export interface DashboardOptions {
  /** Address to listen on. */
  host: string
  /** 0 takes any that is free. Without a port the default one is taken, or the next that is free. */
  port?: number | undefined
  model: Model
  events: Events
  /** Replaces an exit, or all of them. */
  rotate(session?: string): void
}

export interface Dashboard {
  readonly port: number
  /** Says that it can be opened: nothing is announced before all that is started has come up. */
  announce(): void
  close(): void
}

/**
 * Serves the page and what feeds it, the metrics and the health check. Throws a ListenError when the address,
 * or a port that was asked for, cannot be had.
 */
export function startDashboard(options: DashboardOptions): Dashboard {
  const { host, port, model, events } = options
  // Once, however many ports are tried: it follows the events from then on.
  const metrics = createMetrics(model, events)
  const listen = (port: number) => serve(options, metrics, port)
  let server: Server<undefined>
  try {
    server = port === undefined ? serveNear(listen) : listen(port)
  } catch (error) {
    metrics.close()
    throw error
  }
  return {
    port: server.port!,
    announce: () =>
      events.emit({
        type: 'dashboard.ready',
        url: `http://${host.includes(':') ? `[${host}]` : host}:${server.port}/`,
        ...(port === undefined && server.port !== defaultDashboardPort && { busy: defaultDashboardPort }),
      }),
    close() {
      void server.stop(true)
      metrics.close()
    },
  }
}

// --- internal ---

/** On the default port, or the next one that is free. */
function serveNear(listen: (port: number) => Server<undefined>): Server<undefined> {
  for (let port = defaultDashboardPort; ; port++) {
    try {
      return listen(port)
    } catch (error) {
      const another = error instanceof ListenError && error.code === 'E_PORT_IN_USE'
      if (!another || port === defaultDashboardPort + portsTried) throw error
    }
  }
}

type Handle = (request: Request, server: Server<undefined>) => Response | Promise<Response>

function serve(
  { host, model, events, rotate }: DashboardOptions,
  metrics: Metrics,
  port: number,
): Server<undefined> {
  const token = newToken()
  let streams = 0

  /** What every route has in common. */
  const guarded =
    (handle: Handle): Handle =>
    async (request, server) => {
      const response = hostAllowed(request.headers.get('host'), host)
        ? await handle(request, server)
        : text(403, 'This name is not one of this machine: open the page by its address.')
      for (const [name, value] of Object.entries(safeHeaders)) response.headers.set(name, value)
      return response
    }
  const api = (handle: Handle) =>
    guarded((request, server) =>
      isOwnRequest(request.headers)
        ? handle(request, server)
        : text(403, 'This request comes from a page of another site.'),
    )

  try {
    return Bun.serve({
      hostname: host,
      port,
      // Said aloud: otherwise Bun shares a port that this very process has already.
      reusePort: false,
      development: false,
      maxRequestBodySize: 4096,
      routes: {
        '/': { GET: guarded(() => file('index.html')) },
        '/:file': { GET: guarded(request => file((request as Bun.BunRequest<'/:file'>).params.file)) },
        '/api/state': { GET: api(() => Response.json(model.state())) },
        '/api/stream': {
          GET: api((request, server) => {
            if (streams >= maxStreams) return text(503, `${maxStreams} pages are open already.`)
            streams++
            server.timeout(request, 0)
            return liveStream({ model, events, token, onEnd: () => void streams-- })
          }),
        },
        '/api/rotate': {
          POST: api(async request => {
            if (!tokenMatches(request.headers.get(tokenHeader), token))
              return text(403, `The header ${tokenHeader} does not have the page's token.`)
            const asked = await body(request)
            if (!asked) return text(400, 'The body is not JSON as {"session": "…"}, or empty for all exits.')
            const { session } = asked
            const active = model.exits.filter(({ phase }) => phase === 'active')
            if (session !== undefined && !active.some(exit => exit.session === session))
              return text(404, 'No active exit has this session.')
            if (active.length === 0) return text(409, 'No exit is active yet.')
            rotate(session)
            return new Response(undefined, { status: 204 })
          }),
        },
        '/metrics': {
          GET: guarded(
            async () => new Response(await metrics.text(), { headers: { 'content-type': metrics.type } }),
          ),
        },
        '/healthz': {
          GET: guarded(() => {
            const exits = model.exits.filter(isAccepting).length
            return Response.json({ ready: exits > 0, exits }, { status: exits > 0 ? 200 : 503 })
          }),
        },
      },
      fetch: guarded(() => text(404, 'There is nothing here.')),
      error: () => text(500, 'That failed.'),
    })
  } catch (error) {
    throw listenError(error, 'dashboard', { host, port })
  }
}

async function file(name: string): Promise<Response> {
  const found = (await pageFiles()).get(name)
  return found
    ? new Response(found.body, { headers: { 'content-type': found.type } })
    : text(404, 'There is nothing here.')
}

/** The session that a request names, or none for all; undefined when it cannot be read: that is not all of them. */
async function body(request: Request): Promise<{ session?: string | undefined } | undefined> {
  try {
    const { success, output } = v.safeParse(rotateSchema, JSON.parse((await request.text()) || '{}'))
    return success ? output : undefined
  } catch {
    return undefined
  }
}

const rotateSchema = v.strictObject({ session: v.optional(v.string()) })

const text = (status: number, message: string) => new Response(`${message}\n`, { status })
