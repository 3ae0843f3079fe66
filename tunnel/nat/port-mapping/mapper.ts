import { setTimeout as sleep } from 'node:timers/promises'
import { errorData } from '../../net/coded-error.ts'
import type { Endpoint } from '../../net/endpoint.ts'
import { within } from '../../net/within.ts'
import { findGateway } from './gateway.ts'
import {
  type FindRouter,
  type Gateway,
  type Grant,
  type MappingProtocol,
  type MapRequest,
  mappingProtocols,
  type Router,
} from './router.ts'
import { finders } from './survey.ts'

/** A port that the router opened. */
export interface OpenPort {
  /** The router's outside address, as it says, and port. */
  readonly external: Endpoint
  readonly protocol: MappingProtocol
}

/** Asks the router of this machine to open ports for sessions, keeps them open, and closes them. */
export interface PortMapper {
  /**
   * Opens the port for a UDP port of this machine, or gives the one that is open for it. Undefined where no router
   * does so within 300 ms; what comes later is closed again. Never rejects.
   */
  open(localPort: number): Promise<OpenPort | undefined>
  /** Closes what is open for it. Never rejects; takes a second at most. */
  release(localPort: number): Promise<void>
  /** Releases all, and opens no more. */
  close(): Promise<void>
}

export interface PortMapperOptions {
  findGateway?: () => Promise<Gateway>
  find?: Partial<Record<MappingProtocol, FindRouter>>
  /** Of a mapping as it is asked for, in seconds; renewed when half is over. 600 by default. */
  lifetimeS?: number
  /** Where nobody answered, they are asked again after so long. 60,000 milliseconds by default. */
  forgetMs?: number
}

/** A launch waits no longer. Milliseconds. */
export const openLimitMs = 300
/** A better protocol that answers this much later than the first is taken all the same. Milliseconds. */
const betterMs = 40
const defaultForgetMs = 60_000
/** Milliseconds for a router to close a port. */
const closeLimitMs = 1_000
const calledOffMs = 100
/** A router that says once more that it lost everything, this soon, is not heeded. Milliseconds. */
const lostAgainMs = 10_000
/** A renewal that failed is tried again after this, or sooner. Milliseconds. */
const renewAgainMs = 15_000

/** Begins to ask which protocols the router speaks, at once. */
export function createPortMapper(options: PortMapperOptions = {}): PortMapper {
  const { find = finders, lifetimeS = 600, forgetMs = defaultForgetMs } = options
  const ports = new Map<number, Opening>()
  /** Ports that are being closed. */
  const closing = new Set<Promise<void>>()
  const over = new AbortController()
  /** Aborted when no router is looked for any more. */
  const sought = new AbortController()
  /** What makes each port anew at once, by the router that opened it. */
  const renewals = new WeakMap<Router, Set<() => void>>()
  let known: Discovery | undefined
  let closed = false

  /** The routers that answer, best first. They are asked anew where the gateway is another, or none answered. */
  const routers = async (): Promise<Router[]> => {
    const gateway = await (options.findGateway ?? findGateway)().catch(() => undefined)
    if (!gateway) return []
    const before = known && sameGateway(known.gateway, gateway) ? known : undefined
    if (!before || isOld(before, forgetMs)) known = discovery(gateway, find, sought.signal)
    // Who was silent before is asked again, and not waited for.
    return (before ?? known!).found
  }

  // By the time that a port is wanted, who is to be asked for it is known.
  void routers()

  const renewalsOf = (router: Router): Set<() => void> => {
    const ofRouter = renewals.get(router) ?? new Set()
    renewals.set(router, ofRouter)
    let heededAt = Number.NEGATIVE_INFINITY
    router.onLost ??= () => {
      if (performance.now() - heededAt < lostAgainMs) return
      heededAt = performance.now()
      for (const renewNow of ofRouter) renewNow()
    }
    return ofRouter
  }

  const open = (localPort: number): Opening => {
    const ended = new AbortController()
    const done = (async () => {
      const asked = await routers()
      for (const router of asked) {
        // It was found after that: what nobody waits for is not opened.
        if (ended.signal.aborted) return undefined
        const request = { internalPort: localPort, externalPort: localPort, lifetimeS }
        const granted = await router.map(request, over.signal).catch(error => {
          if (mayBeOpen(router, error)) void shutting(unmap(router, localPort, localPort))
        })
        if (!granted) continue
        const port = { external: granted.external, protocol: router.protocol, router }
        // What it is closed by is what was granted last.
        const renewed = ({ external }: Grant) => void Object.assign(port, { external })
        void renew(router, request, granted, renewed, ended.signal, renewalsOf(router))
        return port
      }
      // Whoever answered before may be another by now.
      if (asked.length > 0) known = undefined
      return undefined
    })()
    return { done, end: () => ended.abort() }
  }

  const shut = async (localPort: number, { done, end }: Opening): Promise<void> => {
    end()
    const port = await done
    if (!port) return
    await unmap(port.router, localPort, port.external.port)
  }

  const shutting = async (work: Promise<void>): Promise<void> => {
    closing.add(work)
    await work
    closing.delete(work)
  }

  const release = async (localPort: number): Promise<void> => {
    const opening = ports.get(localPort)
    if (!opening) return
    ports.delete(localPort)
    await shutting(shut(localPort, opening))
  }

  return {
    async open(localPort) {
      if (closed) return undefined
      const opening = ports.get(localPort) ?? open(localPort)
      ports.set(localPort, opening)
      const port = await within(opening.done, openLimitMs)
      if (!port) void release(localPort)
      return port
    },
    release,
    async close() {
      closed = true
      // Who has not been found has opened nothing.
      sought.abort()
      // A router that has not answered by then is not waited for.
      await within(Promise.all([...[...ports.keys()].map(release), ...closing]), closeLimitMs)
      over.abort()
      // What was being asked for is called off, which has to leave this machine.
      await within(Promise.all(closing), calledOffMs)
    },
  }
}

/** When a mapping of so many seconds is renewed (RFC 6886, section 3.3), and when again if that `failed`. Milliseconds. */
export function renewalMs(lifetimeS: number, failed: boolean): number {
  const halfMs = lifetimeS * 500
  return failed ? Math.min(renewAgainMs, halfMs) : halfMs
}

// --- internal ---

const unmap = (router: Router, internalPort: number, externalPort: number): Promise<void> =>
  router.unmap({ internalPort, externalPort }, AbortSignal.timeout(closeLimitMs)).catch(() => {})

/**
 * The router did not say no: it may have opened the port, or open it yet. By UPnP a port is closed by its outside
 * number, whoever's it is, and one that may be another machine's is left alone.
 */
const mayBeOpen = ({ protocol }: Router, error: unknown): boolean =>
  protocol !== 'upnp' && errorData(error).code !== 'E_PORT_MAPPING_REFUSED'

interface Opening {
  done: Promise<(OpenPort & { router: Router }) | undefined>
  /** Ends its renewal. */
  end(): void
}

interface Discovery {
  gateway: Gateway
  found: Promise<Router[]>
  /** When it ended without one, on performance.now()'s clock. */
  failedAt: number | undefined
}

const sameGateway = (a: Gateway, b: Gateway) => a.address === b.address && a.localAddress === b.localAddress

const isOld = ({ failedAt }: Discovery, forgetMs: number) =>
  failedAt !== undefined && performance.now() - failedAt > forgetMs

/** Asks by all protocols at once: whoever answers first, and what is better and answers soon after. */
function discovery(
  gateway: Gateway,
  find: Partial<Record<MappingProtocol, FindRouter>>,
  signal: AbortSignal,
): Discovery {
  const found: Router[] = []
  const { promise, resolve } = Promise.withResolvers<Router[]>()
  const asked = mappingProtocols.map(async protocol => {
    const router = await find[protocol]?.(gateway, signal).catch(() => undefined)
    if (!router) return
    found.push(router)
    found.sort((a, b) => mappingProtocols.indexOf(a.protocol) - mappingProtocols.indexOf(b.protocol))
    if (protocol === mappingProtocols[0]) resolve(found)
    else setTimeout(resolve, betterMs, found)
  })
  const discovery: Discovery = { gateway, found: promise, failedAt: undefined }
  void Promise.all(asked).then(() => {
    if (found.length === 0) discovery.failedAt = performance.now()
    resolve(found)
  })
  return discovery
}

/**
 * Renews a mapping when half of its life is over (RFC 6886, section 3.3), or as soon as `renewals` are called for, until
 * the signal. Never rejects.
 */
async function renew(
  router: Router,
  request: MapRequest,
  granted: Grant,
  onRenewed: (grant: Grant) => void,
  signal: AbortSignal,
  renewals: Set<() => void>,
): Promise<void> {
  let { external, lifetimeS } = granted
  let failed = false
  while (lifetimeS > 0 && !signal.aborted) {
    const wait = renewalMs(lifetimeS, failed)
    const called = new AbortController()
    const renewNow = () => called.abort()
    renewals.add(renewNow)
    const either = AbortSignal.any([signal, called.signal])
    await sleep(wait, undefined, { signal: either, ref: false }).catch(() => {})
    renewals.delete(renewNow)
    if (signal.aborted) return
    const again = { ...request, externalPort: external.port }
    const grant = await router.map(again, signal).catch(() => undefined)
    failed = grant === undefined
    if (!grant) continue
    ;({ external, lifetimeS } = grant)
    onRenewed(grant)
  }
}
