import { spawnSync } from 'node:child_process'

// Names, owners and the end of network namespaces. A name carries the id of the process that made it, so that a
// later run can tell what a dead one left behind.

let made = 0
const open = new Set<string>()

/** A family of namespace names that no other process and no other lab of this one has. */
export function ownNames<Role extends string>(roles: readonly Role[]): Record<Role, string> {
  catchEnd()
  made++
  const names = roles.map(role => [role, `lab-${process.pid}-${made}-${role}`] as const)
  for (const [, name] of names) open.add(name)
  return Object.fromEntries(names) as Record<Role, string>
}

/** Kills what runs in these namespaces and deletes them. Synchronous: it is also the last thing a process does. */
export function deleteNamespaces(names: Iterable<string>): void {
  const there = new Set(existing())
  const doomed = [...names].filter(name => there.has(name))
  // A namespace lives on, nameless, while a process is in it. A first round may miss what was just being started.
  for (let round = 0; round < 2; round++) for (const name of doomed) killAllIn(name)
  for (const name of doomed) ip('netns', 'del', name)
  for (const name of names) open.delete(name)
}

/** Deletes the namespaces of runs whose process is gone. */
export function sweep(): void {
  deleteNamespaces(existing().filter(name => !isAlive(Number(/^lab-(\d+)-/.exec(name)?.[1]))))
}

export const existing = (): string[] =>
  ip('netns', 'list')
    .split('\n')
    .map(line => line.split(' ')[0]!)
    .filter(name => /^lab-\d+-/.test(name))

// --- internal ---

const ip = (...args: string[]): string => spawnSync('ip', args, { encoding: 'utf8' }).stdout ?? ''

function killAllIn(name: string): void {
  for (const pid of ip('netns', 'pids', name).split('\n').filter(Boolean).map(Number)) kill(pid, 'SIGKILL')
}

const isAlive = (pid: number): boolean => kill(pid, 0)

function kill(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

let caught = false

function catchEnd(): void {
  if (caught) return
  caught = true
  process.on('exit', () => deleteNamespaces([...open]))
  for (const [signal, number] of [
    ['SIGHUP', 1],
    ['SIGINT', 2],
    ['SIGTERM', 15],
  ] as const)
    process.on(signal, () => process.exit(128 + number))
}
