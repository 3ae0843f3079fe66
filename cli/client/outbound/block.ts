import { reply } from '../../../tunnel/session/frames/reply.ts'
import { type Road, RoadError } from './outbound.ts'

/** The road that leads nowhere. */
export const block: Road = async () => {
  throw new RoadError('refused', reply.notAllowed, 'a rule blocks it')
}
