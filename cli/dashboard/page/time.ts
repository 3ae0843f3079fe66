const seconds = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' } as const
const minutes = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const

/** The time of day, with 24 hours as in the terminal. */
export const timeOf = (at: number): string => new Date(at).toLocaleTimeString([], seconds)

/** The same without seconds where there are none. */
export const clock = (at: number): string =>
  new Date(at).toLocaleTimeString([], at % 60_000 === 0 ? minutes : seconds)
