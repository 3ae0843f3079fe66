import { pair } from './pair.ts'

/** The native binding in a hand loop: what this stack could do at best. */
export const bare = pair({ name: 'bare', title: 'bare loop on the native binding' })

/** The tunnel's socket, connection and stream, without proxy, relay and web server; Node's options are the function's. */
export const tunnel = pair({
  name: 'tunnel',
  title: 'tunnel alone',
  nodeOptions: ['--max-semi-space-size=1'],
})
