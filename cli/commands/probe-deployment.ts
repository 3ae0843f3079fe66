import { consola } from 'consola'
import { CodedError } from '../../tunnel/net/coded-error.ts'
import { formatDuration } from '../client/stats/format.ts'
import type { Config } from '../config/load.ts'
import { type Probe, probe } from '../deploy/probe.ts'
import { openSignalling } from '../deploy/signalling.ts'
import { withAdvice } from '../output/advice.ts'
import { waitingLine } from '../output/waiting-line.ts'
import { interruptible } from './interrupt.ts'

/**
 * Sets up a test session in each region of the deployment, and prints the outcome. Throws a CodedError where one failed
 * that these credentials may start.
 */
export async function probeDeployment(config: Config): Promise<void> {
  const probes = await interruptible(async signal => {
    const source = await openSignalling({ config }, signal)
    consola.start(`Testing a session in ${[...source.buckets.keys()].join(', ')}`)
    try {
      return await probe(source, {
        signal,
        onWaiting: (region, limitMs) => consola.info(waitingLine(region, limitMs)),
      })
    } finally {
      await source.close()
    }
  })
  for (const each of probes) tell(each)
  const failed = probes.filter(({ failure }) => failure && !notTheirs.has(failure.code))
  if (failed.length > 0)
    throw new CodedError(
      'E_PROBE_FAILED',
      `it is deployed, but no session came up in ${failed.map(({ region }) => region).join(', ')}`,
    )
}

// --- internal ---

/** A deployer need not be a user: the deployer's policy does not allow writing offers. */
const notTheirs = new Set(['E_BUCKET_ACCESS_DENIED', 'E_AWS_ACCESS_DENIED'])

function tell({ region, up, failure }: Probe): void {
  if (failure && notTheirs.has(failure.code))
    consola.warn(`No session was tested in ${region}: ${failure.message}`)
  else if (failure) consola.error(`The session in ${region} failed: ${withAdvice(failure)}`)
  else if (up) {
    const late =
      up.startedBy === 'invoke' ? '. It had to be invoked: the event of S3 was not there in time' : ''
    consola.success(`Exit ${up.address} in ${region} was ready after ${formatDuration(up.setUpMs)}${late}`)
  }
}
