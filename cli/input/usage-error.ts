/** What the person asked for cannot be done as asked; the message says what to change. Exit code 2. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError'
}
