import { drive } from '../load.ts'
import type { Subject } from './subject.ts'

/** Nothing in between. */
export const direct: Subject = {
  name: 'direct',
  title: 'direct, no proxy',
  start: async origin => ({
    parts: () => ({ exit: [], client: [] }),
    run: load => drive({ ...load, origin }),
    async stop() {},
  }),
}
