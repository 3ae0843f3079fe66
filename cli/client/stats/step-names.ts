import type { Step } from './events.ts'

/** The steps of a launch in their order, as the terminal and the page name them. */
export const stepNames: Record<Step, string> = {
  stun: 'STUN',
  offer: 'Offer',
  answer: 'Answer',
  punch: 'Punch',
  quic: 'QUIC',
  hello: 'Hello',
}
