import { pair } from './pair.ts'
import type { Subject } from './subject.ts'

/** The native binding in a hand loop: what this stack could do at best. */
export const bare = pair({ name: 'bare', program: 'bare', title: 'bare loop on the native binding' })

/** The function's. */
const nodeOptions = ['--max-semi-space-size=1']

/** The tunnel's socket, connection and stream, without proxy, relay and web server. */
export const tunnel = pair({ name: 'tunnel', program: 'tunnel', title: 'tunnel alone', nodeOptions })

/** The same under each congestion control, whichever the tunnel has chosen. */
export const tunnels: readonly Subject[] = (['CUBIC', 'BBR'] as const).map(congestionControl =>
  pair({
    name: `tunnel-${congestionControl.toLowerCase()}`,
    program: 'tunnel',
    title: `tunnel alone, ${congestionControl}`,
    nodeOptions,
    tuning: { congestionControl },
  }),
)
