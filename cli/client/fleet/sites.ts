import { parse } from 'tldts'
import { BoundedMap } from '../../../tunnel/net/bounded-map.ts'

/** The registered domain, so that a site's many host names share an exit; an address stands for itself. */
export const siteOf = (host: string): string => parse(host).domain ?? host.toLowerCase()

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
