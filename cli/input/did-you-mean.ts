/** `; did you mean a or b?`, or a full stop when no name is near what was given: the end of a sentence. */
export function didYouMean(given: string, names: readonly string[]): string {
  const most = Math.ceil(given.length / 3)
  const distances = names.map(name => ({ name, distance: distance(given.toLowerCase(), name) }))
  const least = Math.min(...distances.map(each => each.distance))
  if (least > most) return '.'
  const found = distances.filter(each => each.distance === least).map(({ name }) => name)
  return `; did you mean ${found.slice(0, 3).join(' or ')}?`
}

// --- internal ---

/** Levenshtein's: the least number of letters to change, add or leave out. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1]
    for (let j = 0; j < b.length; j++)
      next.push(Math.min(row[j + 1]! + 1, next[j]! + 1, row[j]! + (letter === b[j] ? 0 : 1)))
    row = next
  }
  return row[b.length]!
}
