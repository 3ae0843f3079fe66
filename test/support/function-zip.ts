import { buildFunction } from '../../function/build.ts'

let built: Promise<Uint8Array> | undefined

/** The function as it would be deployed; built once in a process. */
export function functionZip(): Promise<Uint8Array> {
  built ??= buildFunction().then(({ zip }) => zip)
  return built
}
