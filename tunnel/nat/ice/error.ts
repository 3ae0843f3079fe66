import { CodedError } from '../../net/coded-error.ts'
import { type Behaviour, isHard } from '../stun/mapping.ts'
import { hitProbability } from './birthday.ts'
import type { Candidate } from './candidate.ts'
import type { CheckStats } from './check-list.ts'

export type PunchErrorCode =
  /** Nothing came back, and nothing tells why. */
  | 'E_PUNCH_TIMEOUT'
  /** One side's NAT maps each destination to another port. */
  | 'E_PUNCH_HARD_NAT'
  | 'E_PUNCH_TWO_HARD_NATS'
  /** The peer's checks arrive, ours do not. */
  | 'E_PUNCH_ONE_WAY'
  /** Checks are answered, but no pair was nominated. */
  | 'E_PUNCH_LOSS'
  /** What arrived was not the peer's. */
  | 'E_PUNCH_UNAUTHENTIC'

/** What became of a punch that found no path. */
export interface PunchFailure {
  candidates: readonly Candidate[]
  stats: CheckStats
  /** Sockets that checks went out by. */
  sockets: number
  mapping: { local: Behaviour; remote: Behaviour }
  limitMs: number
}

/**
 * The limit passed; says what was sent, what was heard, and which NAT behaviour that points to. The message names
 * no address: it goes into logs that others read.
 */
export class PunchError extends CodedError<PunchErrorCode> {
  override name = 'PunchError'
  constructor(readonly failure: PunchFailure) {
    const { stats, sockets, limitMs } = failure
    const { code, reason, hint } = diagnose(failure)
    const from = sockets > 1 ? ` from ${sockets} sockets` : ''
    const ports = stats.sprayed > 0 && sockets === 1 ? `, ${stats.sprayed} of them to ports at random` : ''
    super(
      code,
      `no path to the other side within ${limitMs / 1000} s: sent ${stats.checksSent} checks${from}${ports}, ` +
        `heard ${stats.checksReceived} checks and ${stats.responsesReceived} responses: ${reason}`,
      { hint },
    )
  }
}

// --- internal ---

interface Diagnosis {
  code: PunchErrorCode
  reason: string
  hint: string
}

const again = 'Try again.'
const elsewhere =
  'Try another network, for example a phone’s hotspot, turn on UPnP or NAT-PMP in the router’s settings, or name a TURN server.'

/** What the counts say about the NATs in between, and what a person can do about it. */
function diagnose({ stats, mapping }: PunchFailure): Diagnosis {
  const { checksReceived, responsesReceived, forged, sprayed } = stats
  const [here, there] = [isHard(mapping.local), isHard(mapping.remote)]
  if (responsesReceived > 0)
    return {
      code: 'E_PUNCH_LOSS',
      reason: 'checks are answered but the pair could not be agreed, probably for heavy packet loss',
      hint: again,
    }
  if (checksReceived > 0)
    return {
      code: 'E_PUNCH_ONE_WAY',
      reason:
        'its checks arrive here but ours are not answered there; the NAT or firewall on the other side lets nothing in',
      hint: `${again} ${elsewhere}`,
    }
  if (forged > 0)
    return {
      code: 'E_PUNCH_UNAUTHENTIC',
      reason:
        'only checks that were not authentic arrived, or from where no peer may be; somebody else sends to this port, or the offer and answer do not belong together',
      hint: again,
    }
  if (here && there)
    return {
      code: 'E_PUNCH_TWO_HARD_NATS',
      reason:
        'both sides are behind a symmetric NAT, which maps each destination to another port, so that neither can know where to send',
      hint: `${elsewhere} One side without a symmetric NAT is enough.`,
    }
  if (here || there)
    return {
      code: 'E_PUNCH_HARD_NAT',
      reason:
        `the NAT on ${here ? 'this' : 'the other'} side is symmetric: it maps each destination to another port, ` +
        `and ${sprayed} checks on the chance of meeting an open one ${here ? 'brought no answer' : `(${chance()} with all sent) hit none`}; ` +
        'a NAT or firewall on the way limits new mappings, or UDP is blocked',
      hint: elsewhere,
    }
  const isUnknown = mapping.local === 'unknown' || mapping.remote === 'unknown'
  return {
    code: 'E_PUNCH_TIMEOUT',
    reason: isUnknown
      ? 'nothing came back; either side’s NAT may map each destination to another port (symmetric NAT; too few STUN servers answered to tell), or UDP is blocked'
      : 'nothing came back, though neither NAT maps by destination; a firewall on the way blocks UDP between the two, or the other end is gone',
    hint: `${again} ${elsewhere}`,
  }
}

const chance = () => `${(hitProbability() * 100).toFixed(2)} %`
