import { drive } from '../load.ts'
import type { Subject } from './subject.ts'

/** Nothing in between. */
export const direct: Subject = {
  name: 'direct',
  title: 'direct, no proxy',
  start: async place => ({
    parts: () => ({ exit: [], client: [] }),
    run: load => drive(place, load),
    async stop() {},
  }),
}
