import { type NetcheckReport, netcheck } from '../../tunnel/nat/netcheck.ts'
import { type PortMappingReport, surveyPortMapping } from '../../tunnel/nat/port-mapping/survey.ts'
import { parseStunServers, type StunServerName } from '../../tunnel/nat/stun/server-name.ts'
import type { RelaySource } from '../../tunnel/nat/turn/source.ts'
import type { Endpoint } from '../../tunnel/net/endpoint.ts'
import { type OwnSession, startOwnSession } from '../client/fleet/own-session.ts'
import type { Config } from '../config/load.ts'
import { regionsOf, useProfile } from '../deploy/aws.ts'
import { findStack, type Stack } from '../deploy/find.ts'
import { openSignalling } from '../deploy/signalling.ts'
import type { SignallingOptions } from '../deploy/signalling-options.ts'

/** An address that a TURN server lent. */
export interface TurnReport {
  server: string
  /** The relayed address. */
  address: Endpoint
  ms: number
}

/** What the checks share. Each item is fetched once, when first needed. */
export interface Context {
  config: Config
  isLocal: boolean
  /** The bucket that an option names in place of a deployment. */
  bucket: string | undefined
  /** Aborted when it is called off, and when the context is closed. */
  signal: AbortSignal
  regions(): Promise<string[]>
  stack(): Promise<Stack>
  stunServers(): Promise<StunServerName[]>
  netcheck(): Promise<NetcheckReport>
  portMapping(): Promise<PortMappingReport>
  /** Allocates an address on the TURN server and releases it; undefined without one. Rejects with a TurnError. */
  turn(): Promise<TurnReport | undefined>
  /** An exit, launched for the checks. */
  exit(): Promise<OwnSession>
  /** Ends everything that was started, also what no check waits for any longer. */
  close(): Promise<void>
}

export function createContext(options: SignallingOptions, signal: AbortSignal): Context {
  const { config } = options
  const over = new AbortController()
  const until = AbortSignal.any([signal, over.signal])
  const signalling = once(() => openSignalling(options, until))
  // The network checks do not need a deployment.
  const stunServers = async () =>
    options.local
      ? (await signalling()).stunServers
      : parseStunServers(config.values['proxy.stun_server'].join(','))
  const exit = once(async () => startOwnSession(await signalling(), until))
  return {
    config,
    isLocal: options.local !== undefined,
    bucket: options.bucket,
    signal: until,
    regions: once(async () => {
      useProfile(config)
      return regionsOf(config)
    }),
    stack: once(() => findStack(config)),
    stunServers,
    portMapping: once(async () =>
      config.values['proxy.port_mapping'] === 'off' ? { answers: [], isOff: true } : surveyPortMapping(until),
    ),
    turn: once(() => tryTurn(options.relay, until)),
    netcheck: once(async () => netcheck(await stunServers())),
    exit,
    async close() {
      // Whatever is still running has exceeded its check's limit.
      over.abort(new Error('the doctor is done'))
      await exit.made()?.then(({ end }) => end(), ignore)
      await signalling.made()?.then(({ close }) => close(), ignore)
    },
  }
}

// --- internal ---

async function tryTurn(relay: RelaySource | undefined, signal: AbortSignal): Promise<TurnReport | undefined> {
  if (!relay) return undefined
  const began = performance.now()
  const allocation = await relay.lend(signal)
  const { server, local } = allocation
  allocation.close()
  return { server, address: local, ms: performance.now() - began }
}

interface Once<T> {
  (): Promise<T>
  /** What was made, if it was asked for. */
  made(): Promise<T> | undefined
}

function once<T>(make: () => Promise<T>): Once<T> {
  let made: Promise<T> | undefined
  const get = () => {
    made ??= make()
    return made
  }
  return Object.assign(get, { made: () => made })
}

const ignore = () => {}
