import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { archiveName, stem } from '../../cli/build/release/names.ts'
import { type Target, targets, thisPlatform } from '../../cli/build/targets.ts'
import { cache as common, locked } from '../support/locked.ts'

// A release for this platform, built once for all tests of these sources.

const root = join(import.meta.dir, '../..')
const cache = join(common, 'release')
const limitMs = 540_000

/** The platform of it; where there is none for this machine, that of linux-x64 can be looked at. */
export const target: Target = thisPlatform() ?? targets[0]!

export interface Staged {
  /** What is published. */
  folder: string
  /** The platform's archive, and what is in it, unpacked. */
  archive: string
  unpacked: string
  executable: string
}

/** The release, built if no test has done so since the sources changed. Throws what the build says when it fails. */
export function staged(): Staged {
  const place = join(cache, fingerprint())
  const complete = join(place, 'complete')
  if (!existsSync(complete)) {
    mkdirSync(cache, { recursive: true })
    const steps = 'test -e "$3/complete" || { "$1" "$2" "$3/release" && touch "$3/complete"; }'
    const build = ['sh', '-c', steps, 'sh', process.execPath, join(import.meta.dir, 'stage.ts'), place]
    const { status, stderr } = locked('release', build, limitMs)
    if (status !== 0) throw new Error(`the release could not be built: ${stderr}`)
    for (const other of readdirSync(cache))
      if (join(cache, other) !== place) rmSync(join(cache, other), { recursive: true, force: true })
  }
  const unpacked = join(place, 'release-unpacked', stem(target))
  return {
    folder: join(place, 'release'),
    archive: join(place, 'release', archiveName(target)),
    unpacked,
    executable: join(unpacked, `lambda-nat-proxy${target.suffix}`),
  }
}

// --- internal ---

/** Of all that a release is made of, and how it is made. */
function fingerprint(): string {
  const hash = createHash('sha256').update(root)
  const patterns = [
    '{cli,function,tunnel}/**/*',
    'native/*.ts',
    'terraform/*.*',
    'dist/native/*/*/engine.node',
    'test/release/stage*.ts',
    '{package.json,bun.lock,LICENSE}',
  ]
  const paths = patterns.flatMap(pattern => [...new Bun.Glob(pattern).scanSync({ cwd: root })])
  for (const path of paths.sort()) hash.update(`${path}\0`).update(readFileSync(join(root, path)))
  return hash.digest('hex').slice(0, 16)
}
