import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cache } from '../processes.ts'

const folder = join(cache, 'go')
const buildLimitMs = 600_000

/** Has Go build a program from its source, once. Rejects with Go's own words. */
export async function goInstall(name: string, package_: string, tags: string[] = []): Promise<void> {
  if (existsSync(goProgram(name))) return
  const environment = { GOBIN: join(folder, 'bin'), GOPATH: folder, GOFLAGS: '-modcacherw' }
  try {
    await promisify(execFile)('go', ['install', '-tags', tags.join(','), package_], {
      env: { ...process.env, ...environment },
      timeout: buildLimitMs,
    })
  } catch (error) {
    throw new Error(`Go cannot install ${package_}\n${(error as Error).message}`)
  }
}

export const goProgram = (name: string): string => join(folder, 'bin', name)
