import { env } from 'node:process'

/** What this process was started for. */
export const spec = <T>(): T => JSON.parse(env.BENCH_SPEC ?? '{}') as T

export const say = (message: object): void => console.log(JSON.stringify(message))
