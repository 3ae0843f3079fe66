import { printable } from '../../net/printable.ts'
import { QuicError } from '../close-reason.ts'
import type { Engine } from '../engine.ts'

/**
 * The engines, the preferred one first. Each is loaded when it is asked for; one that was not built for this
 * platform is undefined.
 */
const loaders = {
  native: async (): Promise<Engine | undefined> => (await import('./native/engine.ts')).nativeEngine(),
  quiche: async (): Promise<Engine | undefined> => (await import('./quiche/engine.ts')).quicheEngine,
}

export type EngineName = keyof typeof loaders

export const engineNames = Object.keys(loaders) as EngineName[]

/** The engine of this name, or the preferred one of those that load. Rejects with a QuicError when there is none. */
export async function loadEngine(name?: EngineName): Promise<Engine> {
  let cause: unknown
  for (const each of name ? [name] : engineNames) {
    try {
      const engine = await loaders[each]()
      if (engine) return engine
    } catch (error) {
      // Its library is there, and the system does not load it.
      cause ??= error
    }
  }
  throw new QuicError(
    'E_QUIC_NO_ENGINE',
    cause instanceof Error
      ? printable(cause.message)
      : `no ${name ?? 'QUIC'} engine was built for ${process.platform}-${process.arch}`,
    { cause },
  )
}
