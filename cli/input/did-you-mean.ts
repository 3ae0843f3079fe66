/** `; did you mean a or b?`, or a full stop when no name is near what was given: the end of a sentence. */
export function didYouMean(given: string, names: readonly string[]): string {
  const found = nearest(given, names)
  return found.length === 0 ? '.' : `; did you mean ${found.join(' or ')}?`
}

/** The names that are nearest to what was given, three at most; none where all of them are far from it. */
export function nearest(given: string, names: readonly string[]): string[] {
  const most = Math.min(Math.ceil(given.length / 3), given.length - 1)
  const distances = names.map(name => ({ name, distance: distance(given.toLowerCase(), name) }))
  const least = Math.min(...distances.map(each => each.distance))
  if (least > most) return []
  return distances.flatMap(({ name, distance }) => (distance === least ? [name] : [])).slice(0, 3)
}

// --- internal ---

/** The least number of letters to change, add, leave out or swap with the next (optimal string alignment). */
function distance(a: string, b: string): number {
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1]
    for (let j = 0; j < b.length; j++) {
      const swapped = i > 0 && j > 0 && a[i] === b[j - 1] && a[i - 1] === b[j]
      next.push(
        Math.min(
          row[j + 1]! + 1,
          next[j]! + 1,
          row[j]! + (a[i] === b[j] ? 0 : 1),
          swapped ? before[j - 1]! + 1 : Number.POSITIVE_INFINITY,
        ),
      )
    }
    before = row
    row = next
  }
  return row[b.length]!
}
