import type { Endpoint } from '../../../tunnel/net/endpoint.ts'
import type { Place, Side } from '../place.ts'
import { node, root, withKey } from '../processes.ts'

/** Waits until something listens there, as seen from this side: for programs that do not tell. */
export async function reachable(place: Place, side: Side, endpoint: Endpoint): Promise<void> {
  const program = place.start(side, [node, `${root}/test/bench/programs/reachable.ts`], { spec: endpoint })
  await program.hear(`port ${endpoint.port} could be reached`, withKey('reachable'))
  await program.stop()
}
