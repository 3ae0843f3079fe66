import { spawn } from 'node:child_process'
import { copyFile, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { engineFile } from './engine/file.ts'
import { type NativeTarget, nativeTargets } from './targets.ts'
import { addTarget, needCargo, pathWithCargo, zigEnvironment } from './toolchain.ts'

// The QUIC engine for this platform, for all or for some, where engine/file.ts says.

const root = join(import.meta.dir, '..')
const cache = join(root, 'node_modules/.cache/lambda-nat-proxy')

/** Builds for this machine. Throws a ToolchainError when there is no toolchain, or cargo's own complaint. */
export async function buildNative(): Promise<string> {
  const name = `${process.platform}-${process.arch}`
  const target = nativeTargets.find(each => each.name === name)
  if (!target) throw new Error(`there is no engine for ${name}, only for ${namesOf(nativeTargets)}`)
  const cargo = await needCargo()
  announce(name)
  await run(cargo, ['build', ...buildArgs, '--target', target.triple], { PATH: pathWithCargo() })
  return keep(target)
}

/**
 * Builds for all platforms, or for those of these names, by Zig as the C compiler and linker: on whatever machine, the
 * engine loads on the oldest system that it is promised for.
 */
export async function buildAllNative(names?: readonly string[]): Promise<string[]> {
  const unknown = names?.find(name => !nativeTargets.some(target => target.name === name))
  if (unknown !== undefined)
    throw new Error(`there is no engine for ${unknown}, only for ${namesOf(nativeTargets)}`)
  const cargo = await needCargo()
  const zig = await zigEnvironment(cache)
  const built: string[] = []
  for (const target of nativeTargets) {
    if (names && !names.includes(target.name)) continue
    await addTarget(target.triple)
    announce(target.name)
    const env = { ...zig, LIBNODE_PATH: await emptyLibnode() }
    await run(cargo, ['zigbuild', ...buildArgs, '--target', target.zigTriple], env)
    built.push(await keep(target))
  }
  return built
}

// --- internal ---

const manifest = join(root, 'native/Cargo.toml')
const buildArgs = ['--release', '--locked', '--package', 'engine', '--manifest-path', manifest]

/** Before cargo's own lines, which do not say what they are for. */
const announce = (name: string) =>
  console.error(`Building the native QUIC engine for ${name}: the first time this takes minutes.`)

/** No machine's paths in what is built, so that two machines build the same. */
function flags(): { RUSTFLAGS: string; CFLAGS: string } {
  const homes = [
    [root, '/lambda-nat-proxy'],
    [process.env.CARGO_HOME ?? join(homedir(), '.cargo'), '/cargo'],
    [process.env.RUSTUP_HOME ?? join(homedir(), '.rustup'), '/rustup'],
  ]
  return {
    RUSTFLAGS: homes.map(([from, to]) => `--remap-path-prefix=${from}=${to}`).join(' '),
    CFLAGS: homes.map(([from, to]) => `-ffile-prefix-map=${from}=${to}`).join(' '),
  }
}

/** The dll takes Node's functions from the process that loads it; its build asks for a libnode all the same. */
async function emptyLibnode(): Promise<string> {
  const folder = join(cache, 'libnode')
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'libnode.dll'), '')
  for (const archive of ['libnode.dll.a', 'libnode.a']) await writeFile(join(folder, archive), '!<arch>\n')
  return folder
}

function run(command: string, args: string[], env: Record<string, string>): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      env: { ...process.env, ...flags(), ...env },
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      if (code === 0) resolve()
      else reject(new Error(`${command} ${args[0]} ended with ${signal ?? `code ${code}`}`))
    })
  })
}

/** Not in place: a process may have loaded the one from before. */
async function keep({ name, triple, library }: NativeTarget): Promise<string> {
  const file = join(root, engineFile(name))
  await mkdir(dirname(file), { recursive: true })
  await copyFile(join(root, 'native/target', triple, 'release', library), `${file}.new`)
  await rename(`${file}.new`, file)
  const current = dirname(file)
  for (const other of await readdir(dirname(current)))
    if (other !== basename(current))
      // Windows keeps one that a process has loaded.
      await rm(join(dirname(current), other), { recursive: true }).catch(() => {})
  return file
}

const namesOf = (targets: readonly NativeTarget[]) => targets.map(({ name }) => name).join(', ')
