import { reply } from '../../../tunnel/session/frames/reply.ts'
import { type Outbound, OutboundError } from './outbound.ts'

/** The outbound that leads nowhere. */
export const block: Outbound = async () => {
  throw new OutboundError('refused', reply.notAllowed, 'a rule blocks it')
}
