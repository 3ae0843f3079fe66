import { realpathSync } from 'node:fs'
import type { Mode } from '../../../function/modes.ts'
import { type EngineName, engineNames } from '../../../tunnel/quic/engines/engines.ts'
import { startCloud } from '../cloud.ts'
import { hold, holdAvailable } from '../hold.ts'
import { drive, nearby } from '../load.ts'
import { descendants, executableOf } from '../measure.ts'
import type { Place } from '../place.ts'
import { node } from '../processes.ts'
import { startProxy } from '../proxy.ts'
import type { Part, Running, Subject } from './subject.ts'

/** The whole of this: web server → function → client → SOCKS5 → reader, with an embedded cloud beside it. */
export const chain: Subject = {
  name: 'chain',
  title: '**lambda-nat-proxy**, the whole chain',
  start: place => startChain(place),
}

/** The same, with applications told that they are connected before the exit has reached the target. */
export const optimisticChain: Subject = {
  name: 'chain-optimistic',
  title: '**lambda-nat-proxy** with `--optimistic`',
  start: place => startChain(place, { run: ['--optimistic'] }),
}

/** The same by the QUIC engine of each end, the client's first. */
export const engineChains: readonly Subject[] = engineNames.flatMap(client =>
  engineNames.map(exit => ({
    name: client === exit ? `chain-${client}` : `chain-${client}-${exit}`,
    title: client === exit ? `${client} at both ends` : `${client} at the client, ${exit} at the exit`,
    start: (place: Place) => startChain(place, { engines: { client, exit } }),
  })),
)

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
  start: place => startChain(place, { mode, cores }),
}))

// --- internal ---

interface ChainOptions {
  mode?: Mode
  /** That the function is held to. */
  cores?: number
  /** Of each end, in place of the preferred one. */
  engines?: Record<Part, EngineName>
  /** Further arguments of `run`. */
  run?: readonly string[]
}

async function startChain(
  place: Place,
  { mode, cores, engines, run = [] }: ChainOptions = {},
): Promise<Running> {
  const cloud = await startCloud(place, { mode, engine: engines?.exit })
  const options = [...run, ...(engines ? ['--engine', engines.client] : [])]
  const { client, socks } = await startProxy(place, cloud, options)
  const executable = realpathSync(node)
  // Beside the function the cloud may have started a bundler.
  const isFunction = (pid: number) => executableOf(pid) === executable
  const functions = () => descendants(cloud.process.pid).filter(isFunction)
  // From here on: Lambda gives a function a whole core while it starts.
  const held = cores === undefined ? undefined : hold(functions(), cores)
  return {
    parts: () => ({ exit: functions(), client: [client.pid] }),
    run: load => drive(place, load, nearby(socks)),
    async stop() {
      await client.stop()
      await cloud.process.stop()
      await held?.release()
    },
  }
}
