/** What the program ends with. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  refused: 3,
  degraded: 4,
  notDeployed: 5,
  interrupted: 130,
} as const

export type ExitCode = keyof typeof exitCodes

/** What each means, for help; a command may say it in its own words. */
export const exitCodeMeanings: Record<ExitCode, string> = {
  done: 'done',
  failed: 'failed',
  usage: 'wrong usage or settings',
  refused: 'the question was answered with no',
  degraded: 'DEGRADED',
  notDeployed: 'NOT DEPLOYED',
  interrupted: 'interrupted by Ctrl-C, SIGTERM or a closed terminal',
}
