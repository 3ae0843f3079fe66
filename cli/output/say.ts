import { consola } from 'consola'
import { colors } from 'consola/utils'

type Level = 'log' | 'info' | 'start' | 'success' | 'warn' | 'error'

/** Prints a line. On a terminal the time of day stands before it; what reads a file or a pipe has times of its own. */
export const say = (level: Level, text: string) => consola[level](stamped(text))

// --- internal ---

const stamped = (text: string) =>
  process.stdout.isTTY ? `${colors.dim(new Date().toLocaleTimeString('en-GB'))} ${text}` : text
