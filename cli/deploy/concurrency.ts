import { consola } from 'consola'
import type { Config } from '../config/load.ts'
import { clientOptions } from './aws.ts'

/** Functions that may run at once in each region, unless sessions need more or TF_VAR_reserved_concurrency is set. */
const usual = 10
/** What AWS keeps unreserved in every account; it refuses a reservation that leaves less. */
const minUnreserved = 10

/** Concurrency that an account has left in a region. */
export interface Room {
  /** Concurrent executions that no function has reserved. */
  unreserved: number
  /** What the stack's own function has reserved already. */
  own: number
}

/**
 * A cap on how many functions run at once in each region, and so on cost: twice the sessions, since each is replaced
 * by a new one before it ends. Undefined where an account has no room for it, as a new one with its quota of 10.
 */
export function reservation(rooms: readonly Room[], sessions: number): number | undefined {
  const wanted = Math.max(usual, 2 * sessions)
  return rooms.every(({ unreserved, own }) => unreserved + own - wanted >= minUnreserved) ? wanted : undefined
}

/** The cap that `deploy` sets; undefined when TF_VAR_reserved_concurrency is set, too, or the quota is not known. */
export async function reservedConcurrency(
  { values }: Config,
  regions: string[],
): Promise<number | undefined> {
  if (process.env.TF_VAR_reserved_concurrency !== undefined) return undefined
  const functionName = `${process.env.TF_VAR_name_prefix ?? ''}${values['deployment.stack_name']}`
  try {
    const rooms = await Promise.all(regions.map(region => roomIn(region, functionName)))
    return reservation(rooms, values['fleet.sessions'])
  } catch (error) {
    consola.debug(`No cap on concurrency is set: ${String(error)}`)
    return undefined
  }
}

// --- internal ---

async function roomIn(region: string, FunctionName: string): Promise<Room> {
  const { GetAccountSettingsCommand, GetFunctionCommand, LambdaClient } = await import(
    '@aws-sdk/client-lambda'
  )
  const client = new LambdaClient({ ...clientOptions(region), maxAttempts: 1 })
  try {
    const { AccountLimit } = await client.send(new GetAccountSettingsCommand({}))
    const found = await client.send(new GetFunctionCommand({ FunctionName })).catch(error => {
      // There is none yet.
      if ((error as Error).name === 'ResourceNotFoundException') return undefined
      throw error
    })
    return {
      unreserved: AccountLimit?.UnreservedConcurrentExecutions ?? 0,
      own: found?.Concurrency?.ReservedConcurrentExecutions ?? 0,
    }
  } finally {
    client.destroy()
  }
}
