/** The time of day, as the reader writes it. */
export const timeOf = (at: number): string => new Date(at).toLocaleTimeString()

/** The same without seconds where there are none. */
export const clock = (at: number): string => {
  const seconds = at % 60_000 === 0 ? undefined : '2-digit'
  return new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: seconds })
}
