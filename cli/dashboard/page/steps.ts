import type { Step } from '../../client/stats/events.ts'

/** The steps of a launch in their order, as a person reads them. */
export const stepNames: Record<Step, string> = {
  stun: 'STUN',
  offer: 'Offer',
  answer: 'Answer',
  punch: 'Punch',
  quic: 'Handshake',
  hello: 'Hello',
}
