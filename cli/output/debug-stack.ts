/** With DEBUG set, writes where an error was thrown, which is for whoever looks for a fault in this program. */
export function debugStack(error: unknown): void {
  if (process.env.DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`)
}
