/** Reads a whole number from `least` to `most`, in decimal digits; undefined for anything else. */
export function readWhole(text: string, least: number, most: number): number | undefined {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  return number >= least && number <= most ? number : undefined
}
