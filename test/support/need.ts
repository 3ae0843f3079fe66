import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { cache, locked } from './locked.ts'

// What a test needs of the machine, installed when it is missing. Where that cannot be done, CI fails and
// anybody else's run says loudly what is left out.

const installLimit = 240_000
/** A large program is compiled from its source, once. */
const goLimit = 300_000
const buildLimit = 420_000

/**
 * True when the programs are there, from these Debian packages if they had to be installed (as root). When
 * they cannot be had it throws under CI=true, else says so and gives false: leave the tests out then.
 */
export function need(packages: readonly string[], programs: readonly string[]): boolean {
  const missing = () => programs.filter(program => !onPath(program))
  if (missing().length > 0) install(packages)
  return missing().length === 0 || lacking(`${missing().join(', ')} (Debian: ${packages.join(' ')})`)
}

/**
 * Path of a Python that has these packages from PyPI, in a virtual environment kept from run to run; undefined
 * (or an error, as with `need`) when they cannot be had. Programs of theirs lie beside it.
 */
export function needPip(packages: readonly string[]): string | undefined {
  const environment = join(cache, `venv-${packages.join('-').replace(/[^a-z0-9-]/gi, '_')}`)
  const python = join(environment, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python')
  const complete = join(environment, 'complete')
  if (existsSync(complete)) return python

  needVenv()
  mkdirSync(cache, { recursive: true })
  // A test that starts meanwhile waits for the lock, and then finds the work done.
  const steps = 'test -e "$3" || { python3 -m venv "$1" && "$2" -m pip install --quiet $4 && touch "$3"; }'
  bring('pip', ['sh', '-c', steps, 'sh', environment, python, complete, packages.join(' ')])
  if (existsSync(complete)) return python
  lacking(`${packages.join(', ')} (PyPI)`)
  return undefined
}

/** Installs Python with its virtual environments, for whoever makes one. */
export function needVenv(): void {
  if (!onPath('python3') || !succeeds('python3', '-c', 'import ensurepip, venv'))
    install(['python3', 'python3-venv'])
}

/**
 * Path of a program built from a Go module, with the Go that is on PATH, kept from run to run; undefined (or an error,
 * as with `need`) when it cannot be had.
 */
export function needGo(module: string, version: string): string | undefined {
  const folder = join(cache, `go-${version}`)
  const program = join(folder, module.split('/').at(-1)!)
  if (existsSync(program)) return program
  if (onPath('go')) {
    mkdirSync(folder, { recursive: true })
    const steps = 'test -e "$1" || GOBIN="$2" GOFLAGS=-buildvcs=false go install "$3"'
    bring('go', ['sh', '-c', steps, 'sh', program, folder, `${module}@${version}`], goLimit)
  }
  if (existsSync(program)) return program
  lacking(`${module} ${version} (Go)`)
  return undefined
}

/**
 * A folder whose node_modules has these packages from npm (name and version or range each), kept from run to run, none
 * of their scripts run, and with `overrides` in place of what they ask for; undefined (or an error, as with `need`) when
 * they cannot be had.
 */
export function needNpm(
  packages: readonly string[],
  overrides: Record<string, string> = {},
): string | undefined {
  const folder = join(cache, `npm-${packages.join('-').replace(/[^a-z0-9.-]/gi, '_')}`)
  const complete = join(folder, 'complete')
  if (existsSync(complete)) return folder
  mkdirSync(folder, { recursive: true })
  const steps =
    'test -e "$2" || { cd "$1" && echo "$5" >package.json && "$3" add --ignore-scripts --silent $4 && touch "$2"; }'
  const manifest = JSON.stringify({ overrides })
  bring('npm', ['sh', '-c', steps, 'sh', folder, complete, process.execPath, packages.join(' '), manifest])
  if (existsSync(complete)) return folder
  lacking(`${packages.join(', ')} (npm)`)
  return undefined
}

/**
 * True when `result` is there, made by a shell script if it had to be; with `what` for a name, kept from run to run.
 * False (or an error, as with `need`) when it cannot be made.
 */
export function needMade(
  what: string,
  result: string,
  script: string,
  args: readonly string[] = [],
): boolean {
  const steps = `test -e "$1" || { shift; set -e; ${script}; }`
  if (!existsSync(result)) bring('made', ['sh', '-c', steps, 'sh', result, ...args], buildLimit)
  return existsSync(result) || lacking(`${what}, built from its source`)
}

// --- internal ---

const onPath = (program: string) =>
  [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'].some(folder =>
    existsSync(join(folder, program)),
  )

const succeeds = (program: string, ...args: string[]) =>
  spawnSync(program, args, { stdio: 'ignore' }).status === 0

function install(packages: readonly string[]): void {
  if (process.getuid?.() !== 0 || !onPath('apt-get')) return
  const apt = 'apt-get -qq -y -o Dpkg::Use-Pty=0'
  const get = `${apt} install --no-install-recommends "$@"`
  bring('apt', ['sh', '-c', `${get} || { ${apt} update && ${get}; }`, 'sh', ...packages])
}

/** Runs a command that brings what is needed, alone. What it says is shown when it fails. */
function bring(name: string, command: string[], timeout = installLimit): void {
  const { status, stdout, stderr } = locked(name, command, timeout, { DEBIAN_FRONTEND: 'noninteractive' })
  if (status !== 0) console.error(`${command.slice(-1)}: ${stdout ?? ''}${stderr ?? ''}`)
}

function lacking(what: string): false {
  const message = `cannot be had on this machine, and is needed for these tests: ${what}`
  if (process.env.CI === 'true') throw new Error(message)
  console.error(`\n*** LEFT OUT: ${process.argv[1]}: ${message}\n`)
  return false
}
