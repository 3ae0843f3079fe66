import { RequestError, type Which } from '../../cli/client/fleet/requests.ts'
import type { Model } from '../../cli/client/stats/model.ts'
import type { Controlled } from '../../cli/control/operations.ts'

/** A proxy to be controlled whose fleet only takes note of what is asked of it. */
export function controlled(model: Model, asked: Which[] = []): Controlled {
  const active = () => model.exits.filter(({ phase }) => phase === 'active').map(({ session }) => session)
  return {
    model,
    reload: async () => ({ applied: [], needRestart: [], logins: { added: [], removed: [], changed: [] } }),
    listeners: () => [{ scheme: 'mixed', host: '127.0.0.1', port: 1080 }],
    fleet: () => ({
      rotate(which) {
        if ('exit' in which && !active().includes(which.exit))
          throw new RequestError('E_EXIT_NOT_FOUND', `there is no exit ${which.exit}`)
        if (active().length > 0) asked.push(which)
        return active()
      },
      ban: site => ({ site, session: 'a', address: '192.0.2.1', launching: true }),
      bans: () => [],
    }),
  }
}
