import { offerLifetimeMs } from '../../tunnel/signalling/documents.ts'
import type { Check } from './check.ts'
import type { Context } from './context.ts'

/** Beyond this the clock is not kept by anything. Milliseconds. */
const notedMs = 5_000

/** The function refuses offers whose time is too far from its own; AWS refuses signatures from a quarter of an hour on. */
export const clockCheck: Check<Context> = {
  name: 'clock',
  limitMs: 15_000,
  async run({ isLocal, config }) {
    if (isLocal) return { status: 'skip', detail: 'with --local there is only one' }
    const region = config.values['aws.regions'][0] ?? 'us-east-1'
    const endpoint =
      process.env.AWS_ENDPOINT_URL_S3 ?? process.env.AWS_ENDPOINT_URL ?? `https://s3.${region}.amazonaws.com`
    const { host } = new URL(endpoint)
    const offMs = await clockOffset(endpoint)
    if (offMs === undefined)
      return {
        status: 'warn',
        detail: `${host} cannot be asked for the time`,
        next: 'Check the network: S3 must be reachable by HTTPS',
      }
    const facts = { offMs }
    const far = Math.abs(offMs)
    const detail =
      far < 1_500
        ? `right, by ${host}`
        : `${(far / 1000).toFixed(0)} s ${offMs > 0 ? 'ahead' : 'behind'}, by ${host}`
    if (far < notedMs) return { status: 'ok', detail, facts }
    const next = 'Set this machine’s clock, for example by NTP'
    return { status: far < offerLifetimeMs / 2 ? 'warn' : 'fail', detail, next, facts }
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
