/** What a promise gives, or undefined when it takes longer than this; rejects as it does. Milliseconds. */
export async function within<T>(work: Promise<T>, limitMs: number): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<undefined>(resolve => {
    timer = setTimeout(resolve, limitMs, undefined)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}
