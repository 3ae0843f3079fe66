/** Whether a process of this number runs on this machine, whoever's it is. No number but a positive one is a process's. */
export function processRuns(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0)
  } catch (error) {
    // Somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
