import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readWhole } from '../input/whole-number.ts'
import { controlFolders } from '../places/folders.ts'

/**
 * Where a running proxy can be reached: a socket, the token for its API and the id of its process, named by the port of
 * its first listener.
 */
export interface Place {
  port: number
  socket: string
  token: string
  pid: string
}

export const placeIn = (folder: string, port: number): Place => ({
  port,
  socket: join(folder, `${port}.sock`),
  token: join(folder, `${port}.token`),
  pid: join(folder, `${port}.pid`),
})

/** The process that listens there; undefined where the file does not say. */
export function pidIn({ pid }: Place): number | undefined {
  try {
    return readWhole(readFileSync(pid, 'utf8').trim(), 1, maxPid)
  } catch {
    return undefined
  }
}

/** The folder for this process's own socket. */
export const ownFolder = (): string => controlFolders()[0]!

/** All sockets that this user's proxies, or the system's service, may have; those of dead processes among them. */
export const places = (): Place[] =>
  controlFolders().flatMap(folder =>
    names(folder)
      .map(name => /^(\d{1,5})\.sock$/.exec(name)?.[1])
      .filter(port => port !== undefined)
      .map(port => placeIn(folder, Number(port))),
  )

// --- internal ---

/** Linux has up to 2^22 of them. */
const maxPid = 999_999_999

function names(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    // There is none, or it is not for this user.
    return []
  }
}
