import { formatEndpoint } from '../../tunnel/net/endpoint.ts'
import { type Check, failure } from './check.ts'
import type { Context } from './context.ts'

/** Whether the TURN server, if one is named, lends an address. */
export const turnCheck: Check<Context> = {
  name: 'turn',
  limitMs: 20_000,
  async run({ turn }) {
    try {
      const found = await turn()
      if (!found) return { status: 'skip', message: 'no TURN server is named (--turn)' }
      const { server, address, ms } = found
      return {
        status: 'ok',
        message: `${server} lends ${formatEndpoint(address)} in ${ms.toFixed(0)} ms`,
        facts: { ...found },
      }
    } catch (error) {
      // A direct path does not need it.
      return { ...failure(error), status: 'warn' }
    }
  },
}
