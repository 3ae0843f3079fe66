import { parse } from 'tldts'
import { BoundedMap, remembering } from '../../../tunnel/net/bounded-map.ts'

/** The registered domain, so that a site's many host names share an exit; an address stands for itself. */
export const siteOf: (host: string) => string = remembering(
  1_000,
  host => parse(host).domain ?? host.toLowerCase(),
)

/** As much of an exit as sites go by; one that is still to come up has no address. */
export interface ExitPlace {
  readonly region: string
  readonly address: string | undefined
}

/** A site that connections asked for lately. */
export interface SiteDemand {
  readonly site: string
  /** The region that their login asks for. */
  readonly region: string | undefined
  /** When last. */
  at: number
}

/** What tells demands apart. */
export const keyOf = ({ site, region }: Pick<SiteDemand, 'site' | 'region'>): string =>
  `${site} ${region ?? ''}`

/** Whether the exit is in a region that the demand accepts. */
export const isWhereAsked = ({ region }: SiteDemand, exit: ExitPlace): boolean =>
  region === undefined || region === exit.region

/** The sites that ask for an exit where this one is, each once. */
export const sitesAskingFor = (demands: Iterable<SiteDemand>, exit: ExitPlace): string[] => [
  ...new Set([...demands].filter(demand => isWhereAsked(demand, exit)).map(({ site }) => site)),
]

/** The exit that a site's last connection had. */
export interface Served {
  exit: string
  /** The exit's public address. */
  address: string
  /** The region that its login asked for. */
  region: string | undefined
}

/** Sites that are remembered with their exits. */
const maxServed = 10_000

/** Which exit each site used last. */
export const newServed = (): Map<string, Served> => new BoundedMap<string, Served>(maxServed)
