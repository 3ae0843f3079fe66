import type { PathStats } from '../../tunnel/quic/engine-connection.ts'
import type { Check, Finding } from './check.ts'
import type { Context } from './context.ts'

/** The headers of IPv4 and UDP around a payload. Bytes. */
const headers = 28

const untold: Finding = { status: 'skip', message: 'the quiche engine does not tell' }

/** What the engine learnt of the path during the throughput check. */
export const pathChecks: Check<Context>[] = [check('path mtu', judgeMtu), check('ecn', judgeEcn)]

/** The largest packets that get through. */
export function judgeMtu({ mtu, blackHoles }: PathStats): Finding {
  const facts = { mtu: mtu + headers, blackHoles }
  const message = `packets of ${(mtu + headers).toLocaleString('en')} bytes get through`
  if (blackHoles === 0) return { status: 'ok', message, facts }
  const times = blackHoles === 1 ? 'once' : `${blackHoles} times`
  return {
    status: 'warn',
    code: 'E_MTU_BLACK_HOLE',
    message: `${message}; larger ones that had got through were swallowed without a word, ${times}`,
    facts,
  }
}

/** Whether marks of congestion arrive. */
export function judgeEcn({ ecn, congestionMarks }: PathStats): Finding {
  const facts = { ecn, congestionMarks }
  const message = ecn
    ? `marks pass, ${congestionMarks} of them told of congestion`
    : 'marks are lost on the path, or not counted by the exit; nothing depends on them'
  return { status: 'ok', message, facts }
}

// --- internal ---

function check(name: string, judge: (path: PathStats) => Finding): Check<Context> {
  return {
    name,
    after: ['punch', 'throughput'],
    limitMs: 10_000,
    async run({ exit }) {
      const { path } = (await exit()).session.connection.stats()
      return path ? judge(path) : untold
    },
  }
}
