import type { Server } from 'bun'
import { formatEndpoint } from '../../tunnel/net/endpoint.ts'
import type { Access } from '../client/accounts/access.ts'
import type { Events } from '../client/stats/events.ts'
import type { Model } from '../client/stats/model.ts'
import { isAccepting, tokenHeader } from '../client/stats/state.ts'
import { answer, maxBodyBytes } from '../control/answer.ts'
import { byMethod, type Handle as HandleWith } from '../control/by-method.ts'
import { ControlError } from '../control/control-error.ts'
import type { Controlled } from '../control/operations.ts'
import { newControlToken } from '../control/socket.ts'
import { hostAllowed } from '../input/allowed-host.ts'
import { defaultDashboardPort } from '../input/dashboard-port.ts'
import { ListenError, listenError } from '../input/listen-error.ts'
import { isLoopback } from '../input/loopback.ts'
import { isOwnRequest, safeHeaders, tokenMatches } from './guard.ts'
import { OpenDashboardError, pageLogin } from './login.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { pageFiles } from './page-files.ts'
import { liveStream } from './stream.ts'

/** So many ports from the default one on are tried. */
const portsTried = 100
/** Pages that are kept up to date at once. */
const maxStreams = 32
/** A connection is closed when nothing goes on it for so long. */
const idleSeconds = 10
/** Who waits for a login to be checked, or for an operation (a reload reads files), has longer. */
const waitSeconds = 60

export interface DashboardOptions {
  /** Address to listen on. */
  host: string
  /** 0 takes any that is free. Without a port the default one is taken, or the next that is free. */
  port?: number | undefined
  model: Model
  events: Events
  /** What the API's operations work on. */
  control: Controlled
  /** Programs may do what the page may when they show this one. */
  apiToken: string
  /** Who may see it; a must where other machines reach it. */
  access?: Access | undefined
}

export interface Dashboard {
  readonly port: number
  /** Emits the event that it can be opened, once everything has started. */
  announce(): void
  close(): void
}

/**
 * Serves the page and what feeds it, the metrics and the health check. Throws a ListenError when the address,
 * or a port that was asked for, cannot be had, and an OpenDashboardError when anybody could use it.
 */
export function startDashboard(options: DashboardOptions): Dashboard {
  const { host, port, model, events, access } = options
  if (!isLoopback(host) && !access?.required) throw new OpenDashboardError(host)
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
        url: `http://${formatEndpoint({ address: host, port: server.port! })}/`,
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

type Handle = HandleWith<[server: Server<undefined>]>
/** Of a path whose content is only read. */
const reading = (handle: Handle): Handle => byMethod({ GET: handle })

function serve(
  { host, model, events, control, apiToken, access }: DashboardOptions,
  metrics: Metrics,
  port: number,
): Server<undefined> {
  const token = newControlToken()
  let streams = 0

  const checkLogin = access && pageLogin(access, host, events)

  /** Common to all routes. With a login any host name will do: a foreign page sends none. */
  const open =
    (handle: Handle): Handle =>
    async (request, server) => {
      return safe(
        access?.required || hostAllowed(request.headers.get('host'), host)
          ? await handle(request, server)
          : text(403, 'This name is not one of this machine: open the page by its address.'),
      )
    }
  /** The same for those that need a login; a program that shows the API's token needs none. */
  const guarded = (handle: Handle): Handle =>
    open(async (request, server) => {
      if (checkLogin && !tokenMatches(bearer(request.headers), apiToken)) {
        server.timeout(request, waitSeconds)
        const refused = await checkLogin(request, server.requestIP(request)?.address ?? '')
        if (refused) return refused
        server.timeout(request, idleSeconds)
      }
      return handle(request, server)
    })
  const api = (handle: Handle) =>
    guarded((request, server) =>
      isOwnRequest(request.headers)
        ? handle(request, server)
        : text(403, 'This request comes from a page of another site.'),
    )

  const mayControl = (headers: Headers) =>
    tokenMatches(headers.get(tokenHeader), token) || tokenMatches(bearer(headers), apiToken)

  try {
    return Bun.serve({
      hostname: host,
      port,
      // Explicit: otherwise Bun shares a port that this very process has already.
      reusePort: false,
      development: false,
      maxRequestBodySize: maxBodyBytes,
      routes: {
        '/': guarded(file('index.html')),
        '/:file': guarded((request, server) =>
          file((request as Bun.BunRequest<'/:file'>).params.file)(request, server),
        ),
        '/api/state': api(reading(() => Response.json(model.state()))),
        '/api/stream': api(
          reading((request, server) => {
            if (streams >= maxStreams) return text(503, `${maxStreams} pages are open already.`)
            streams++
            server.timeout(request, 0)
            return liveStream({ model, events, token, onEnd: () => void streams-- })
          }),
        ),
        '/api/:operation': api((request, server) => {
          const { operation } = (request as Bun.BunRequest<'/api/:operation'>).params
          const refused = mayControl(request.headers) ? undefined : wrongToken
          if (!refused) server.timeout(request, waitSeconds)
          return answer(operation, request, control, refused)
        }),
        '/metrics': guarded(
          reading(
            async () => new Response(await metrics.text(), { headers: { 'content-type': metrics.type } }),
          ),
        ),
        '/healthz': open(
          reading(() => {
            const exits = model.exits.filter(isAccepting).length
            const idle = model.sleep.phase === 'asleep'
            const { budget } = model.cost()
            // An exit would not be woken.
            const refusing = budget?.state === 'spent' && budget.action === 'stop'
            const ready = exits > 0 || (idle && !refusing)
            return Response.json({ ready, exits, idle }, { status: ready ? 200 : 503 })
          }),
        ),
      },
      fetch: guarded(nothing),
      error: () => safe(text(500, 'That failed.')),
    })
  } catch (error) {
    throw listenError(error, 'dashboard', { host, port })
  }
}

const file =
  (name: string): Handle =>
  async (request, server) => {
    const found = (await pageFiles()).get(name)
    if (!found) return nothing()
    const { body, type } = found
    return reading(() => new Response(body, { headers: { 'content-type': type } }))(request, server)
  }

function safe(response: Response): Response {
  for (const [name, value] of Object.entries(safeHeaders)) response.headers.set(name, value)
  return response
}

/** The token of a program (RFC 6750, section 2.1). */
const bearer = (headers: Headers): string | null =>
  /^Bearer +(\S+)$/i.exec(headers.get('authorization') ?? '')?.[1] ?? null

const wrongToken = new ControlError('E_CONTROL_TOKEN', 'the request shows no token that is valid', {
  hint: `Send "Authorization: Bearer …" with the token that the file beside the proxy's socket holds.`,
})

const nothing = () => text(404, 'There is nothing here.')

const text = (status: number, message: string) => new Response(`${message}\n`, { status })
