import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

/** What the crates ask for (rust-version in Cargo.toml). */
const minRust = [1, 88] as const

/** Something that a build needs is missing; `hint` says how to get it. */
export class ToolchainError extends Error {
  override name = 'ToolchainError'
  constructor(
    readonly code: 'E_NATIVE_NO_CARGO' | 'E_NATIVE_OLD_RUST' | 'E_NATIVE_NO_ZIG' | 'E_NATIVE_NO_TARGET',
    message: string,
    readonly hint: string,
  ) {
    super(message)
  }
}

const getRust =
  'Get Rust from https://rustup.rs, or as root on Debian 13 and Ubuntu 24.04: apt install rustup build-essential && rustup default stable'

/** PATH with cargo's own folder, where rustup puts it and a shell that is older does not know it yet. */
export const pathWithCargo = (): string =>
  [process.env.PATH, join(process.env.CARGO_HOME ?? join(homedir(), '.cargo'), 'bin')].join(delimiter)

/** This machine's cargo, or undefined when there is none that will do. */
export async function findCargo(): Promise<string | undefined> {
  try {
    return await needCargo()
  } catch (error) {
    if (error instanceof ToolchainError) return undefined
    throw error
  }
}

/** This machine's cargo. Throws a ToolchainError when there is none, or an old one. */
export async function needCargo(): Promise<string> {
  const cargo = Bun.which('cargo', { PATH: pathWithCargo() })
  if (!cargo) throw new ToolchainError('E_NATIVE_NO_CARGO', 'there is no cargo on this machine', getRust)
  const { stdout } = await run(cargo, ['--version'])
  const [major = 0, minor = 0] = /(\d+)\.(\d+)/.exec(stdout)?.slice(1).map(Number) ?? []
  if (major < minRust[0] || (major === minRust[0] && minor < minRust[1]))
    throw new ToolchainError(
      'E_NATIVE_OLD_RUST',
      `${stdout.trim()} is older than ${minRust.join('.')}, which the engine needs`,
      Bun.which('rustup', { PATH: pathWithCargo() }) ? 'Run: rustup update stable' : getRust,
    )
  return cargo
}

/**
 * The environment of a cross build: Zig is its C compiler and linker. Installs ziglang and cargo-zigbuild from PyPI
 * into a folder of the cache, once. Throws a ToolchainError when it cannot.
 */
export async function zigEnvironment(cache: string): Promise<Record<string, string>> {
  const folder = join(cache, `zig-${zigPackages.join('-')}`)
  const python = join(folder, process.platform === 'win32' ? 'Scripts' : 'bin')
  if (!existsSync(join(folder, 'complete'))) {
    await mkdir(cache, { recursive: true })
    try {
      await run('python3', ['-m', 'venv', folder])
      await run(join(python, 'pip'), ['install', '--quiet', '--disable-pip-version-check', ...zigPackages])
    } catch (cause) {
      throw new ToolchainError(
        'E_NATIVE_NO_ZIG',
        `ziglang and cargo-zigbuild could not be installed from PyPI: ${(cause as Error).message}`,
        'A build for other platforms needs python3 with venv (as root on Debian: apt install python3-venv) and PyPI.',
      )
    }
    await writeFile(join(folder, 'complete'), '')
  }
  return {
    PATH: [python, pathWithCargo()].join(delimiter),
    CARGO_ZIGBUILD_PYTHON_PATH: join(python, 'python3'),
  }
}

/** Adds the standard library of another platform. Throws a ToolchainError when there is no rustup to do so. */
export async function addTarget(triple: string): Promise<void> {
  const rustup = Bun.which('rustup', { PATH: pathWithCargo() })
  const hint = `The standard library for ${triple} comes by rustup: https://rustup.rs`
  if (!rustup) throw new ToolchainError('E_NATIVE_NO_TARGET', 'there is no rustup on this machine', hint)
  try {
    await run(rustup, ['target', 'add', triple])
  } catch (cause) {
    throw new ToolchainError('E_NATIVE_NO_TARGET', (cause as Error).message, hint)
  }
}

// --- internal ---

const run = promisify(execFile)

/** Pinned: what they link decides on which systems the engine loads. */
const zigPackages = ['ziglang==0.17.1', 'cargo-zigbuild==0.24.1']
