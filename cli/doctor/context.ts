import { type NetcheckReport, netcheck } from '../../tunnel/nat/netcheck.ts'
import { type PortMappingReport, surveyPortMapping } from '../../tunnel/nat/port-mapping/survey.ts'
import { parseStunServers, type StunServerName } from '../../tunnel/nat/stun/server-name.ts'
import { type OwnSession, startOwnSession } from '../client/fleet/own-session.ts'
import type { Config } from '../config/load.ts'
import { regionsOf, useProfile } from '../deploy/aws.ts'
import { findStack, type Stack } from '../deploy/find.ts'
import { openSignalling, type SignallingOptions } from '../deploy/signalling.ts'

/** What checks share. Each thing is found out once, when it is first asked for. */
export interface Context {
  config: Config
  isLocal: boolean
  /** The bucket that an option names in place of a deployment. */
  bucket: string | undefined
  signal: AbortSignal
  regions(): Promise<string[]>
  stack(): Promise<Stack>
  stunServers(): Promise<StunServerName[]>
  netcheck(): Promise<NetcheckReport>
  portMapping(): Promise<PortMappingReport>
  /** An exit, launched for this. */
  exit(): Promise<OwnSession>
  close(): Promise<void>
}

export function createContext(options: SignallingOptions, signal: AbortSignal): Context {
  const { config } = options
  const signalling = once(() => openSignalling(options, signal))
  // Whether something is deployed does not matter to the network.
  const stunServers = async () =>
    options.local
      ? (await signalling()).stunServers
      : parseStunServers(config.values['proxy.stun_server'].join(','))
  const exit = once(async () => startOwnSession(await signalling(), signal))
  return {
    config,
    isLocal: options.local !== undefined,
    bucket: options.bucket,
    signal,
    regions: once(async () => {
      useProfile(config)
      return regionsOf(config)
    }),
    stack: once(() => findStack(config)),
    stunServers,
    portMapping: once(async () =>
      config.values['proxy.port_mapping'] === 'off'
        ? { answers: [], isOff: true }
        : surveyPortMapping(signal),
    ),
    netcheck: once(async () => netcheck(await stunServers())),
    exit,
    async close() {
      await exit.made()?.then(({ end }) => end(), ignore)
      await signalling.made()?.then(({ close }) => close(), ignore)
    },
  }
}

// --- internal ---

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
