import { readdirSync } from 'node:fs'
import { join } from 'node:path'

/** What a proxy's run has left among the temporary files, or works on in a home's cache: paths. */
export function leftBehind(temporary: string, home: string): string[] {
  const runs = join(home, '.cache/lambda-nat-proxy/runs')
  return [
    ...names(temporary)
      .filter(name => name.startsWith('lambda-nat-proxy-'))
      .map(name => join(temporary, name)),
    ...names(runs).map(name => join(runs, name)),
  ]
}

// --- internal ---

function names(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
