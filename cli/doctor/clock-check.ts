import { offerLifetimeMs } from '../../tunnel/signalling/documents.ts'
import { regionalS3Endpoint } from '../../tunnel/signalling/regional-endpoint.ts'
import { customS3Endpoint } from '../../tunnel/signalling/s3-endpoint.ts'
import { anyRegion } from '../deploy/aws.ts'
import type { Check } from './check.ts'
import type { Context } from './context.ts'

/** A clock that is further off is not synchronised. Milliseconds. */
const notedMs = 5_000

/** The function refuses offers whose time is too far from its own; AWS refuses signatures from a quarter of an hour on. */
export const clockCheck: Check<Context> = {
  name: 'clock',
  limitMs: 15_000,
  async run({ isLocal, regions }) {
    if (isLocal) return { status: 'skip', message: 'not needed with --local' }
    // Another check says that none is known; the time is the same everywhere.
    const region = async () => (await regions().catch(() => []))[0] ?? anyRegion
    const endpoint = customS3Endpoint() ?? (await regionalS3Endpoint(await region()))
    const { host } = new URL(endpoint)
    const offMs = await clockOffset(endpoint)
    if (offMs === undefined)
      return {
        status: 'warn',
        code: 'E_CLOCK_UNKNOWN',
        message: `${host} cannot be asked for the time`,
      }
    const facts = { offMs }
    const far = Math.abs(offMs)
    const message =
      far < 1_500
        ? `right, by ${host}`
        : `${(far / 1000).toFixed(0)} s ${offMs > 0 ? 'ahead' : 'behind'}, by ${host}`
    if (far < notedMs) return { status: 'ok', message, facts }
    return { status: far < offerLifetimeMs / 2 ? 'warn' : 'fail', code: 'E_CLOCK', message, facts }
  },
}

/** How far this machine's clock is ahead of a web server's, in milliseconds; undefined when it does not say. */
export async function clockOffset(url: string): Promise<number | undefined> {
  const asked = Date.now()
  const response = await fetch(url, {
    method: 'HEAD',
    redirect: 'manual',
    signal: AbortSignal.timeout(10_000),
  }).catch(() => undefined)
  const heard = Date.now()
  const theirs = Date.parse(response?.headers.get('date') ?? '')
  // The header counts whole seconds (RFC 9110, section 6.6.1): on the average it lags by half of one.
  return Number.isNaN(theirs) ? undefined : Math.round((asked + heard) / 2 - theirs - 500)
}
