import { type Endpoint, formatEndpoint } from '../../net/endpoint.ts'
import type { MappingBehaviour } from '../stun/mapping.ts'
import { hitProbability } from './birthday.ts'
import type { CheckStats } from './check-list.ts'

/** What became of a punch that found no path. */
export interface PunchFailure {
  candidates: Endpoint[]
  stats: CheckStats
  /** Sockets that checks went out by. */
  sockets: number
  mapping: { local: MappingBehaviour; remote: MappingBehaviour }
  limitMs: number
}

/** The limit passed; says what was sent, what was heard, and which NAT behaviour that points to. */
export class PunchError extends Error {
  override name = 'PunchError'
  constructor(readonly failure: PunchFailure) {
    const { candidates, stats, sockets, limitMs } = failure
    const from = sockets > 1 ? ` from ${sockets} sockets` : ''
    super(
      `no path to the other side within ${limitMs / 1000} s: sent ${stats.checksSent} checks${from} to ${candidates.map(formatEndpoint).join(', ')}` +
        `${stats.sprayed > 0 && sockets === 1 ? ` and ${stats.sprayed} of its ports at random` : ''}, ` +
        `heard ${stats.checksReceived} checks and ${stats.responsesReceived} responses. ${diagnose(failure)}`,
    )
  }
}

// --- internal ---

const elsewhere =
  'Try another network, for example a phone’s hotspot, or a router setting such as "full cone NAT".'

/** What the counts say about the NATs in between, and what a person can do about it. */
function diagnose({ stats, mapping }: PunchFailure): string {
  const { checksReceived, responsesReceived, forged, sprayed } = stats
  const [here, there] = [mapping.local === 'address-dependent', mapping.remote === 'address-dependent']
  if (responsesReceived > 0)
    return 'Checks are answered but the pair could not be agreed: heavy packet loss is the likely cause. Try again.'
  if (checksReceived > 0)
    return 'Its checks arrive here but ours are not answered there: the NAT or firewall on the other side lets nothing in.'
  if (forged > 0)
    return 'Only checks that were not authentic arrived: somebody else sends to this port, or the offer and answer do not belong together.'
  if (here && there)
    return (
      'Both sides are behind a symmetric NAT, which maps each destination to another port: neither can know where to send. ' +
      `${elsewhere} One side without a symmetric NAT is enough.`
    )
  if (here || there)
    return (
      `The NAT on ${here ? 'this' : 'the other'} side is symmetric: it maps each destination to another port, ` +
      `and ${sprayed} checks on the chance of meeting an open one ${here ? 'brought no answer' : `(${chance()} with all sent) hit none`}. ` +
      `A NAT or firewall on the way limits new mappings, or UDP is blocked. ${elsewhere}`
    )
  if (mapping.local === 'unknown' || mapping.remote === 'unknown')
    return (
      'Nothing came back: either side’s NAT may map each destination to another port (symmetric NAT; too few STUN servers answered to tell), ' +
      `or UDP is blocked. ${elsewhere}`
    )
  return (
    'Nothing came back, though neither NAT maps by destination: a firewall on the way blocks UDP between the two, or the other end is gone. ' +
    `Try again. ${elsewhere}`
  )
}

const chance = () => `${(hitProbability() * 100).toFixed(2)} %`
