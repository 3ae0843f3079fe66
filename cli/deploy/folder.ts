import { existsSync, writeFileSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, stat, statfs, unlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Architecture, zipName } from '../../function/architectures.ts'
import { systemReason } from '../input/system-error.ts'
import { processRuns } from '../places/process-runs.ts'
import { terraformModule } from './assets.ts'
import { DeployError } from './errors.ts'
import { functionZip } from './function-zip.ts'

// A stack's folder: the module, what it is applied with, and Terraform's state.

/** Free space that Terraform must have to write its state. Bytes. */
const minRoom = 32 * 1024 * 1024

/** Present in every file of the module, and in no file that a person adds. */
const moduleMark = 'Written by `bun run synth`'

/**
 * Makes this process the only one that works on the stack. Gives what ends that. Throws a DeployError that names
 * the other process.
 */
export async function lock(folder: string, command: string): Promise<() => Promise<void>> {
  const path = `${folder}.lock`
  await writing(dirname(folder), async () => {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await take(path, `${process.pid} ${command}\n`)
  }).catch(async error => {
    const { code, syscall, path: held = path } = (error.cause ?? {}) as NodeJS.ErrnoException
    // A file in the folder's place is no lock.
    if (code !== 'EEXIST' || syscall === 'mkdir') throw error
    const [pid, what = 'deploy or destroy'] = (await readFile(held, 'utf8').catch(() => '')).trim().split(' ')
    throw new DeployError(
      'E_STATE_LOCKED',
      `a ${what} of this stack is running already (${pid ? `process ${pid}, ` : ''}by ${held})`,
    )
  })
  return () => rm(path, { force: true })
}

/** What goes into the stack's folder. */
export interface Layout {
  /** The module's variables. */
  variables: Record<string, unknown>
  /** The processor that the function goes along for. Without one it does not: a destroy needs none. */
  architecture?: Architecture | undefined
  /** The state is kept in S3, as `terraform init -backend-config` says. */
  backend: boolean
}

/**
 * Writes the module in place of an earlier one, the variables, and function.zip where it is to go along; the state
 * stays. True when the module asks for other providers than before.
 */
export async function layOut(folder: string, { variables, architecture, backend }: Layout): Promise<boolean> {
  const versions = join(folder, 'versions.tf')
  const before = existsSync(versions) ? await readFile(versions, 'utf8') : undefined
  const module = await terraformModule()
  const files = {
    ...Object.fromEntries(Object.entries(module).filter(([name]) => name.endsWith('.tf'))),
    'deployer-policy.json': deployerPolicy(module, String(variables.name)),
    ...(architecture && { [zipName(architecture)]: await functionZip(architecture) }),
    'terraform.tfvars.json': `${JSON.stringify(variables, null, 2)}\n`,
    ...(backend && { 'backend.tf.json': '{ "terraform": { "backend": { "s3": {} } } }\n' }),
  }
  await writing(folder, async () => {
    for (const name of await leftOfEarlier(folder, Object.keys(files))) await rm(join(folder, name))
    for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content)
  })
  return before !== undefined && before !== (await readFile(versions, 'utf8'))
}

/** Throws a DeployError unless Terraform has room to write its state: one that cannot be written is lost. */
export async function checkRoom(folder: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  if (bavail * bsize < minRoom)
    throw new DeployError(
      'E_DISK_FULL',
      `the disk with ${folder} is full: ${Math.floor((bavail * bsize) / 1024)} kB are left`,
    )
}

/** Removes all of a stack that is destroyed, and its state with it. */
export const clear = (folder: string) => writing(folder, () => rm(folder, { recursive: true, force: true }))

// --- internal ---

/** The policy for who deploys, which the module has for its default name, for the stack's own. */
const deployerPolicy = (module: Record<string, Uint8Array>, name: string) =>
  Buffer.from(module['deployer-policy.json'] ?? '')
    .toString()
    .replaceAll('lambda-nat-proxy', name)

/** Files of an earlier module that the present one does not replace: Terraform would read both. */
async function leftOfEarlier(folder: string, present: string[]): Promise<string[]> {
  const ofTerraform = (await readdir(folder)).filter(name => /\.tf(\.json)?$/.test(name))
  const left: string[] = []
  for (const name of ofTerraform.filter(each => !present.includes(each)))
    if ((await readFile(join(folder, name), 'utf8')).includes(moduleMark)) left.push(name)
  return left
}

/**
 * Creates a lock file; throws EEXIST, with its path, for one that is held. One that was abandoned is removed under a
 * lock of its own, so that nobody removes what another has just put in its place. Who is killed over that
 * abandons that lock, and it goes the same way.
 */
async function take(path: string, text: string): Promise<void> {
  if (await isAbandoned(path)) {
    const removal = `${path}.removal`
    await take(removal, text)
    try {
      // While it is held nobody else removes the lock, but somebody may have before.
      if (await isAbandoned(path)) await unlink(path)
    } finally {
      await rm(removal, { force: true })
    }
  }
  // Created and written in one go, so that it is rarely seen empty.
  writeFileSync(path, text, { flag: 'wx' })
}

/** An empty lock that is younger than this is being written. Milliseconds. */
const fillingMs = 10_000

/** A process that was killed leaves its lock. */
async function isAbandoned(path: string): Promise<boolean> {
  const holder = await readFile(path, 'utf8').catch(() => undefined)
  if (holder === undefined) return false
  if (holder !== '') return !processRuns(Number.parseInt(holder, 10))
  return Date.now() - (await stat(path)).mtimeMs > fillingMs
}

/** Does something in the folder; an error says what is wrong with it. */
async function writing(folder: string, action: () => Promise<void>): Promise<void> {
  try {
    await action()
  } catch (error) {
    throw new DeployError(
      'E_STATE_UNWRITABLE',
      `the state folder ${folder} cannot be written: ${systemReason(error)}`,
      { cause: error },
    )
  }
}
