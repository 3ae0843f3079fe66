import { consola } from 'consola'
import { colors } from 'consola/utils'

type Level = 'log' | 'info' | 'start' | 'success' | 'warn' | 'error'

/** Prints a line, on a terminal with the time of day. In a file or a pipe the reader adds its own. */
export const say = (level: Level, text: string) => consola[level](stamped(text))

// --- internal ---

const stamped = (text: string) =>
  process.stdout.isTTY ? `${colors.dim(new Date().toLocaleTimeString('en-GB'))} ${text}` : text
