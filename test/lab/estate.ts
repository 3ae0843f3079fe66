import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// What a lab leaves on the machine if nobody takes care: namespaces with their processes, and a folder. All of it
// is named for the process that made it, so that a later run can tell what a dead one left behind.

export interface Estate<Role extends string> {
  id: string
  /** Names of network namespaces, yet to be made. */
  names: Record<Role, string>
  /** A folder for temporary files. */
  folder: string
}

const open = new Set<string>()
let made = 0

/** Names and a folder that no other process and no other lab of this one has; they go with the process at the latest. */
export function claim<Role extends string>(roles: readonly Role[]): Estate<Role> {
  catchEnd()
  const id = `lab-${process.pid}-${++made}`
  open.add(id)
  mkdirSync(folderOf(id))
  const names = Object.fromEntries(roles.map(role => [role, `${id}-${role}`])) as Record<Role, string>
  return { id, names, folder: folderOf(id) }
}

/** Kills what runs in a lab's namespaces and deletes them, and its folder. Synchronous: it is also the last thing a process does. */
export function release(id: string): void {
  const names = namespacesOf(id)
  // A namespace lives on, nameless, while a process is in it. A first round may miss what was just being started.
  for (let round = 0; round < 2; round++) for (const name of names) killAllIn(name)
  for (const name of names) ip('netns', 'del', name)
  rmSync(folderOf(id), { recursive: true, force: true, maxRetries: 5 })
  open.delete(id)
}

/** Releases what was left by processes that are gone. */
export function sweep(): void {
  const ids = [...namespaces(), ...readdirSync(tmpdir())].flatMap(
    name => /^lab-\d+-\d+/.exec(name)?.[0] ?? [],
  )
  for (const id of new Set(ids)) if (!isAlive(ownerOf(id))) release(id)
}

/** Names of the namespaces that a process has made, or one of its labs. */
export const namespacesOf = (owner: number | string): string[] =>
  namespaces().filter(name => name.startsWith(typeof owner === 'number' ? `lab-${owner}-` : `${owner}-`))

// --- internal ---

const folderOf = (id: string): string => join(tmpdir(), id)

const ownerOf = (id: string): number => Number(id.split('-')[1])

const ip = (...args: string[]): string => spawnSync('ip', args, { encoding: 'utf8' }).stdout ?? ''

const namespaces = (): string[] =>
  ip('netns', 'list')
    .split('\n')
    .map(line => line.split(' ')[0]!)

function killAllIn(name: string): void {
  for (const pid of ip('netns', 'pids', name).split('\n').filter(Boolean).map(Number)) signal(pid, 'SIGKILL')
}

const isAlive = (pid: number): boolean => signal(pid, 0)

function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

let caught = false

function catchEnd(): void {
  if (caught) return
  caught = true
  process.on('exit', () => {
    for (const id of open) release(id)
  })
  for (const [name, number] of Object.entries({ SIGHUP: 1, SIGINT: 2, SIGTERM: 15 }))
    process.on(name, () => process.exit(128 + number))
}
