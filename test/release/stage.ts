import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { archiveName } from '../../cli/build/release/names.ts'
import { stageRelease } from '../../cli/build/release/stage.ts'
import { target } from './staged.ts'

const repository = 'https://example.com/owner/lambda-nat-proxy'

// `stage.ts FOLDER`: a release for this platform in the folder, and its archive unpacked beside it. Of a fixed time, so
// that two of the same sources are the same.

const folder = resolve(process.argv[2] ?? '')
process.chdir(join(import.meta.dir, '../..'))
await stageRelease({ outdir: folder, targets: [target], date: new Date('2026-01-02T03:04:06Z'), repository })

const unpacked = `${folder}-unpacked`
mkdirSync(unpacked, { recursive: true })
const { exitCode } = Bun.spawnSync(['tar', 'xzf', join(folder, archiveName(target)), '-C', unpacked])
process.exit(exitCode)
