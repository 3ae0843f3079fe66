/** Whether a process with this id runs on this machine, under any user. Ids are positive: others name groups. */
export function processRuns(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0)
  } catch (error) {
    // It is another user's.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
