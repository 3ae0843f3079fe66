import { consola } from 'consola'

/** Whether there is somebody to ask. */
export const isTerminal = () => Boolean(process.stdin.isTTY && process.stdout.isTTY)

/** Asks for a yes; a Ctrl-C at the question is a no. Call it on a terminal only. */
export async function confirm(question: string): Promise<boolean> {
  return (await consola.prompt(question, { type: 'confirm', initial: false, cancel: 'null' })) === true
}
