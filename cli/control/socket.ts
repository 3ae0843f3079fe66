import { randomBytes } from 'node:crypto'
import { chmodSync, rmSync, writeFileSync } from 'node:fs'
import { makePrivate, unusable } from '../places/private-folder.ts'
import { answer, maxBodyBytes } from './answer.ts'
import { ControlError } from './control-error.ts'
import { ownFolder, type Place, placeIn, places } from './folder.ts'
import { look } from './look.ts'
import type { Controlled } from './operations.ts'

/** A socket's path has at most so many bytes: macOS takes 104 with the zero at its end, Linux 108. */
const maxPathBytes = 103

export interface ControlSocket {
  readonly path: string
  close(): void
}

export const newControlToken = (): string => randomBytes(24).toString('base64url')

/**
 * Opens the socket by which this user's commands reach the proxy whose first listener has this port, and writes the
 * token for its web API and the id of this process beside it. What dead processes left there is removed. Throws a ControlError, or what the system
 * says, when it cannot be had.
 */
export async function openControl(port: number, token: string, proxy: Controlled): Promise<ControlSocket> {
  const folder = ownFolder()
  const place = placeIn(folder, port)
  if (Buffer.byteLength(place.socket) > maxPathBytes)
    throw new ControlError('E_CONTROL_PATH', `${place.socket} is too long for a socket's path`, {
      hint: 'Set XDG_RUNTIME_DIR to a shorter one.',
    })
  openFolder(folder)
  const found = await Promise.all(places().map(async left => ({ left, state: await look(left) })))
  for (const { left, state } of found) {
    if (state === 'alive' && left.socket === place.socket)
      throw new ControlError('E_CONTROL_BUSY', `another proxy is reached by ${place.socket}`)
    if (state === 'dead') remove(left)
  }
  const server = Bun.serve({
    unix: place.socket,
    maxRequestBodySize: maxBodyBytes,
    // The folder is closed to others before anybody could connect.
    fetch(request) {
      const name = /^\/api\/([a-z]+)$/.exec(new URL(request.url).pathname)?.[1]
      return answer(name ?? '', request, proxy)
    },
    error: () => new Response(undefined, { status: 500 }),
  })
  const close = () => {
    void server.stop(true)
    remove(place)
  }
  try {
    chmodSync(place.socket, 0o600)
    writeAnew(place.pid, `${process.pid}\n`)
    writeAnew(place.token, `${token}\n`)
  } catch (error) {
    close()
    throw new ControlError(
      'E_CONTROL_PATH',
      `the API's token cannot be written: ${unusable(place.token, error)}`,
    )
  }
  return { path: place.socket, close }
}

// --- internal ---

function openFolder(folder: string): void {
  try {
    makePrivate(folder)
  } catch (error) {
    throw new ControlError(
      'E_CONTROL_PATH',
      `the folder for the socket is of no use: ${unusable(folder, error)}`,
    )
  }
}

function writeAnew(path: string, text: string): void {
  rmSync(path, { force: true })
  writeFileSync(path, text, { mode: 0o600, flag: 'wx' })
}

function remove({ socket, token, pid }: Place): void {
  for (const path of [socket, token, pid])
    try {
      rmSync(path, { force: true })
    } catch {
      // Another user's: it stays.
    }
}
