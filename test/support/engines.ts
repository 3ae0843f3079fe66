import { join } from 'node:path'
import { findCargo } from '../../native/toolchain.ts'
import type { Engine } from '../../tunnel/quic/engine.ts'
import { nativeEngine } from '../../tunnel/quic/engines/native/engine.ts'
import { quicheEngine } from '../../tunnel/quic/engines/quiche/engine.ts'
import { locked } from './locked.ts'

const root = join(import.meta.dir, '../..')
/** A build from nothing, on a busy machine. */
const buildLimitMs = 540_000

/**
 * The native engine, built first where there is a cargo. Where there is none, CI fails, and anybody else's run says
 * loudly what is left out.
 */
export async function needNativeEngine(): Promise<Engine | undefined> {
  const cargo = await findCargo()
  if (cargo) {
    const build = [process.execPath, join(root, 'cli/build/native.ts')]
    const { status, stderr } = locked('native', build, buildLimitMs)
    if (status !== 0) throw new Error(`the native engine could not be built: ${stderr}`)
  }
  const engine = nativeEngine()
  if (engine) return engine
  const message = 'the native engine cannot be had on this machine (no cargo), and is needed for these tests'
  if (process.env.CI === 'true') throw new Error(message)
  console.error(`\n*** LEFT OUT: ${process.argv[1]}: ${message}\n`)
  return undefined
}

export interface EnginePair {
  name: string
  engines: readonly [client: Engine, exit: Engine]
}

/** Every engine at either end. */
export async function enginePairs(): Promise<EnginePair[]> {
  const native = await needNativeEngine()
  const engines = native ? [quicheEngine, native] : [quicheEngine]
  return engines.flatMap(client =>
    engines.map(exit => ({
      name: `client ${client.name}, exit ${exit.name}`,
      engines: [client, exit] as const,
    })),
  )
}
