import type { Process, Trial } from './trial.ts'

/** CPU seconds of a process for each byte of payload; nothing where there was no load to speak of. */
export const cpuPerByte = (trial: Trial | undefined, process: Process = 'exit'): number | undefined =>
  trial && trial.bytes > 0 && trial.cpu[process] > 0 ? trial.cpu[process] / trial.bytes : undefined
