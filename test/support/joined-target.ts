import * as assert from 'uvu/assert'
import type { Connect, Outlet } from '../../function/outlet.ts'
import type { EngineTargets } from '../../tunnel/quic/engine-connection.ts'
import type { QuicStream } from '../../tunnel/quic/stream.ts'
import { forgotten, openStream, type QuicPair } from './quic-pair.ts'
import type { RawEnd, RawListener } from './raw-end.ts'
import { until } from './until.ts'

// A stream of a pair, joined at the exit with a connection to a target on loopback.

export interface JoinContext {
  pair: QuicPair
  connect: Connect
  origin: RawListener
  /** Targets that were told to be closed. */
  gone: number
}

export interface Joined {
  near: QuicStream
  far: QuicStream
  outlet: Outlet
  target: RawEnd
}

export const host = '127.0.0.1'

/** The exit's targets, which its engine must have. */
export function targetsOf({ exit }: QuicPair): EngineTargets {
  assert.ok(exit.connection.targets)
  return exit.connection.targets!
}

export async function dial(context: JoinContext): Promise<Outlet> {
  const outlet = await context.connect(host, context.origin.port).outlet
  outlet.gone.addEventListener('abort', () => context.gone++)
  return outlet
}

/** Dials a target for the exit's end of a stream, and joins them. */
export async function join(
  context: JoinContext,
  far: QuicStream,
): Promise<Pick<Joined, 'outlet' | 'target'>> {
  const { ends } = context.origin
  const before = ends.length
  const outlet = await dial(context)
  await until(() => ends.length > before, 'the connection')
  outlet.join(far)
  return { outlet, target: ends.at(-1)! }
}

/** A new stream, on which the client has said a byte, and its target. */
export async function joined(context: JoinContext): Promise<Joined> {
  const { near, far } = await openStream(context.pair)
  return { near, far, ...(await join(context, far)) }
}

/** Nothing but the control stream is left. */
export async function settled(context: JoinContext): Promise<void> {
  await forgotten(context.pair)
  await until(() => context.gone === context.origin.ends.length, 'the places to be free')
}
