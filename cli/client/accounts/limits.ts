import { isDeepStrictEqual } from 'node:util'
import { readSize } from '../../input/size.ts'
import { UsageError } from '../../input/usage-error.ts'
import { readWhole } from '../../input/whole-number.ts'
import { type Period, periods } from '../ledger/period.ts'

/** What a login may use; what is not said is not limited. */
export interface Limits {
  /** Bytes down and up together, in a day or month of UTC, of all runs on this machine. */
  quota?: { bytes: number; period: Period }
  /** Bytes a second, of all its connections in this run together, each direction by itself. */
  rate?: { down: number; up: number }
  /** Connections at once, in this run. */
  connections?: number
  /** Regions whose exits it may use. */
  exits?: readonly string[]
}

/** Whether two logins limit their account alike; the allowed exits are checked per login. */
export const sameLimits = (a: Limits, b: Limits): boolean =>
  isDeepStrictEqual([a.quota, a.rate, a.connections], [b.quota, b.rate, b.connections])

/** The names that limits have in a file, in their order. */
export const limitNames = ['quota', 'rate', 'connections', 'exits'] as const
export type LimitName = (typeof limitNames)[number]

/** What a file or an option says of a login's limits. Throws a UsageError; `where` says for it where they stand. */
export function readLimits(where: string, given: Partial<Record<LimitName, unknown>>): Limits {
  const limits: Limits = {}
  const wrong = (name: LimitName, allowed: string) => new UsageError(`${where}: ${name} must be ${allowed}`)
  if (given.quota !== undefined)
    limits.quota =
      readQuota(given.quota) ?? fail(wrong('quota', 'a size and a period, as in 5GB/month or 500MB/day'))
  if (given.rate !== undefined)
    limits.rate =
      readRate(given.rate) ??
      fail(
        wrong('rate', 'bits a second for each direction, as in 20Mbit, or down and up, as in 20Mbit/5Mbit'),
      )
  if (given.connections !== undefined)
    limits.connections =
      readWhole(String(given.connections), 1, 100_000) ??
      fail(wrong('connections', 'a number from 1 to 100000'))
  if (given.exits !== undefined)
    limits.exits =
      readRegions(given.exits) ?? fail(wrong('exits', 'a list of regions, as in [eu-central-1, us-east-1]'))
  return limits
}

// --- internal ---

function fail(error: UsageError): never {
  throw error
}

function readQuota(value: unknown): Limits['quota'] {
  const [, size = '', per = ''] = /^([^/]+)\/([a-z]+)$/.exec(String(value).replaceAll(' ', '')) ?? []
  const bytes = readSize(size)
  const period = periods.find(each => each === per)
  return bytes === undefined || period === undefined ? undefined : { bytes, period }
}

function readRate(value: unknown): Limits['rate'] {
  const parts = String(value).replaceAll(' ', '').split('/')
  const [down, up] = parts.length === 1 ? [parts[0]!, parts[0]!].map(bytesASecond) : parts.map(bytesASecond)
  return parts.length > 2 || down === undefined || up === undefined ? undefined : { down, up }
}

const bits: Record<string, number> = { kbit: 1e3, Mbit: 1e6, Gbit: 1e9 }
/** A lower rate would not carry one packet a second. Bytes a second. */
const leastRate = 1_000

function bytesASecond(text: string): number | undefined {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)(kbit|Mbit|Gbit)$/.exec(text) ?? []
  const bytes = (Number(number) * bits[unit]!) / 8
  return bytes >= leastRate ? bytes : undefined
}

function readRegions(value: unknown): string[] | undefined {
  const names = (Array.isArray(value) ? value : String(value).split(',')).map(name => String(name).trim())
  return names.length > 0 && names.every(name => /^[a-z]+(-[a-z]+)*-\d+$/.test(name)) ? names : undefined
}
