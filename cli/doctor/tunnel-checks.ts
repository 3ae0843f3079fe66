import type { CandidateKind } from '../../tunnel/nat/ice/candidate.ts'
import { enginesOf } from '../client/fleet/launch.ts'
import { measureDownload, measureLatency, measureUpload } from '../client/speedtest/measure.ts'
import { formatDuration, formatRate } from '../client/stats/format.ts'
import type { Check } from './check.ts'
import type { Context } from './context.ts'

/** A quick look, not a speedtest. */
const seconds = 2
const roundTrips = 20
/** What people notice, as bits a second and milliseconds. */
const slowBits = 2_000_000
const slowTripMs = 400

/** How the exit was reached. */
const paths: Record<CandidateKind, string> = {
  host: 'directly',
  mapped: 'at a port that its router opened',
  'server-reflexive': 'as STUN saw it',
  'peer-reflexive': 'where its checks came from',
  relayed: 'by the TURN server',
}

/** Launches an exit, and measures the path to it. */
export const tunnelChecks: Check<Context>[] = [
  {
    name: 'punch',
    after: ['credentials', 'deployment', 'bucket', 'udp'],
    limitMs: 90_000,
    async run({ exit }) {
      const { session, region, steps, setUpMs } = await exit()
      const { address, memory_mb: memoryMb } = session.hello
      return {
        status: 'ok',
        message: `reached ${address} in ${region} after ${formatDuration(setUpMs)} (${Object.entries(steps)
          .map(([step, ms]) => `${step} ${formatDuration(ms)}`)
          .join(
            ', ',
          )}), ${paths[session.candidate]}${session.byOpenPort ? ' and by the port that the router opened' : ''}, QUIC by ${enginesOf(session).client}`,
        facts: {
          region,
          address,
          candidate: session.candidate,
          byOpenPort: session.byOpenPort,
          memoryMb,
          setUpMs,
          steps,
          engines: enginesOf(session),
        },
      }
    },
  },
  {
    name: 'latency',
    after: ['punch'],
    limitMs: 20_000,
    async run({ exit, signal }) {
      const { session } = await exit()
      const facts = { ...(await measureLatency(session.connection, { times: roundTrips, seconds, signal })) }
      const message = `${formatDuration(facts.medianMs)}; 95 % within ${formatDuration(facts.p95Ms)}`
      if (facts.medianMs < slowTripMs) return { status: 'ok', message, facts }
      return { status: 'warn', code: 'E_LATENCY', message, facts }
    },
  },
  {
    name: 'throughput',
    // Not while the round trips are measured.
    after: ['punch', 'latency'],
    limitMs: 40_000,
    async run({ exit, signal }) {
      const { connection } = (await exit()).session
      const download = await measureDownload(connection, { seconds, signal })
      const upload = await measureUpload(connection, { seconds, signal })
      const facts = { download, upload }
      const message = `down ${formatRate(download.bitsPerSecond / 8)}, up ${formatRate(upload.bitsPerSecond / 8)}`
      if (Math.min(download.bitsPerSecond, upload.bitsPerSecond) >= slowBits)
        return { status: 'ok', message, facts }
      return { status: 'warn', code: 'E_THROUGHPUT', message, facts }
    },
  },
]
