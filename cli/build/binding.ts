import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { root } from './root.ts'

/** How long the packages of the other platforms may take to arrive. */
const limitMs = 120_000

/**
 * Path of a native binding. An install brings the one of its own platform only; any other is installed on
 * its own, in a folder of the cache, as bun.lock has it: its version, and its integrity checked. Rejects
 * when it cannot be had.
 */
export async function nativeBinding(name: string, checkout = root): Promise<string> {
  const installed = join(checkout, 'node_modules', name, file)
  if (existsSync(installed)) return installed

  const { lockfileVersion, configVersion, packages } = Bun.JSONC.parse(
    await readFile(join(checkout, 'bun.lock'), 'utf8'),
  ) as Lockfile
  const locked = packages[name]
  if (!locked) throw new Error(`bun.lock has no ${name}`)
  const version = locked[0].slice(name.length + 1)
  // A folder for each version: what is there is never out of date.
  const folder = join(checkout, 'node_modules/.cache/lambda-nat-proxy/bindings', `${name}@${version}`)
  const workspace = { name: 'binding', optionalDependencies: { [name]: version } }
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'package.json'), JSON.stringify(workspace))
  await writeFile(
    join(folder, 'bun.lock'),
    JSON.stringify({
      lockfileVersion,
      configVersion,
      workspaces: { '': workspace },
      packages: { [name]: locked },
    }),
  )
  const flags = ['--frozen-lockfile', '--ignore-scripts', '--silent', '--os=*', '--cpu=*']
  // Bun tells a package that it refuses from one that cannot be had; either way there is no file.
  const { stderr } = await promisify(execFile)(process.execPath, ['install', ...flags], {
    cwd: folder,
    timeout: limitMs,
  }).catch((error: { stderr?: string }) => error)

  const path = join(folder, 'node_modules', name, file)
  if (!existsSync(path)) throw new Error(`${name}@${version} could not be installed: ${stderr ?? ''}`)
  return path
}

// --- internal ---

const file = 'node.napi.node'

/** What this needs of bun.lock. */
interface Lockfile {
  lockfileVersion: number
  configVersion: number
  /** Name → [name@version, registry, what it needs, integrity]. */
  packages: Record<string, [string, ...unknown[]]>
}
