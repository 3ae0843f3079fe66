import { realpathSync } from 'node:fs'
import type { Mode } from '../../../function/modes.ts'
import { startCloud } from '../cloud.ts'
import { hold, holdAvailable } from '../hold.ts'
import { drive, nearby } from '../load.ts'
import { descendants, executableOf } from '../measure.ts'
import { node } from '../processes.ts'
import { startProxy } from '../proxy.ts'
import type { Subject } from './subject.ts'

/** The whole of this: web server → function → client → SOCKS5 → reader, with an embedded cloud beside it. */
export const chain: Subject = {
  name: 'chain',
  title: '**lambda-nat-proxy**, the whole chain',
  start: place => startChain(place),
}

/** The same with the function held to what Lambda gives it: a core for each 1,769 MB. */
export const heldChains: readonly Subject[] = (
  [
    ['test', 128, 0.07],
    ['normal', 256, 0.14],
    ['performance', 512, 0.28],
  ] as const
).map(([mode, megabytes, cores]) => ({
  name: `chain-${megabytes}`,
  title: `${megabytes} MB, ${cores} of a core`,
  prepare: holdAvailable,
  start: place => startChain(place, mode, cores),
}))

// --- internal ---

const startChain = async (place: Parameters<Subject['start']>[0], mode?: Mode, cores?: number) => {
  const cloud = await startCloud(place, mode)
  const { client, socks } = await startProxy(place, cloud)
  const executable = realpathSync(node)
  // Beside the function the cloud may have started a bundler.
  const isFunction = (pid: number) => executableOf(pid) === executable
  const functions = () => descendants(cloud.process.pid).filter(isFunction)
  // From here on: Lambda gives a function a whole core while it starts.
  const held = cores === undefined ? undefined : hold(functions(), cores)
  return {
    parts: () => ({ exit: functions(), client: [client.pid] }),
    run: (load: Parameters<typeof drive>[1]) => drive(place, load, nearby(socks)),
    async stop() {
      await client.stop()
      await cloud.process.stop()
      await held?.release()
    },
  }
}
