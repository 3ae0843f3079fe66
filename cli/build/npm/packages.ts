import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { builtNative } from '../../../native/bundle.ts'
import own from '../../../package.json'
import { type Entry, tarGz } from '../release/archive.ts'
import { root } from '../root.ts'
import type { Target } from '../targets.ts'

// What is published to npm: the program, whose one file starts the executable of its platform, and a package for each
// platform with the executable, and one with the native engine for those who run from source. npm installs of the
// optional ones those that are for the system it runs on.

/** A package as it is published. */
export interface NpmPackage {
  name: string
  /** What its archive is called: `lambda-nat-proxy-cli-linux-x64-0.1.0.tgz`. */
  file: string
  archive: Uint8Array
}

export interface NpmOptions {
  targets: readonly Target[]
  /** Path of a target's executable. */
  executable: (target: Target) => string
  /** The text of the licences inside. */
  thirdParty: string
  /** URL of the repository that it is published from, which npm compares with where the build ran. */
  repository: string | undefined
  date: Date
}

/** The packages, the program's last: it is published when the others are there. One at a time: they are large. */
export async function* npmPackages(options: NpmOptions): AsyncGenerator<NpmPackage> {
  const { targets } = options
  for (const target of targets) yield pack(await platformPackage(target, options), options)
  for (const target of targets) {
    const engine = builtNative(target.platform)
    if (engine !== undefined) yield pack(await enginePackage(target, engine, options), options)
  }
  yield pack(await programPackage(options), options)
}

/** The names of the platforms' packages. */
export const cliName = ({ platform }: Target): string => `@lambda-nat-proxy/cli-${platform}`
export const engineName = ({ platform }: Target): string => `@lambda-nat-proxy/engine-${platform}`

// --- internal ---

interface Content {
  manifest: { name: string }
  entries: Entry[]
}

async function pack({ manifest, entries }: Content, { date }: NpmOptions): Promise<NpmPackage> {
  const files = [...entries, asEntry('package.json', `${JSON.stringify(manifest, null, 2)}\n`)]
  return {
    name: manifest.name,
    file: `${manifest.name.replace('@', '').replace('/', '-')}-${own.version}.tgz`,
    archive: await tarGz(
      files.map(entry => ({ ...entry, path: `package/${entry.path}` })),
      date,
    ),
  }
}

const asEntry = (path: string, text: string): Entry => ({ path, content: Buffer.from(text) })
const fromRoot = async (path: string): Promise<Entry> => ({ path, content: await readFile(join(root, path)) })

const common = ({ repository }: NpmOptions) => ({
  version: own.version,
  license: own.license,
  ...(repository && { repository: { type: 'git', url: `git+${repository}.git` }, homepage: repository }),
  publishConfig: { access: 'public', provenance: true },
})

/** What npm installs a package on. */
function systemOf({ platform }: Target) {
  const [os, cpu] = platform.split('-')
  return { os: [os], cpu: [cpu], ...(os === 'linux' && { libc: ['glibc'] }) }
}

async function programPackage(options: NpmOptions): Promise<Content> {
  const file = 'lambda-nat-proxy.cjs'
  const shim = { path: file, content: await readFile(join(import.meta.dir, 'shim.cjs')), executable: true }
  const manifest = {
    name: own.name,
    description: own.description,
    keywords: ['proxy', 'socks5', 'http-proxy', 'aws-lambda', 'quic', 'nat-traversal'],
    ...common(options),
    engines: { node: '>=20' },
    bin: { [own.name]: file },
    files: [file],
    optionalDependencies: Object.fromEntries(options.targets.map(target => [cliName(target), own.version])),
  }
  return { manifest, entries: [shim, await fromRoot('README.md'), await fromRoot('LICENSE')] }
}

async function platformPackage(target: Target, options: NpmOptions): Promise<Content> {
  const path = `bin/lambda-nat-proxy${target.suffix}`
  const manifest = {
    name: cliName(target),
    description: `The executable of lambda-nat-proxy for ${target.name}`,
    ...common(options),
    ...systemOf(target),
    // Yarn could not run it from inside a zip.
    preferUnplugged: true,
    files: ['bin', 'THIRD_PARTY_LICENSES.txt'],
  }
  const program = { path, content: await readFile(options.executable(target)), executable: true }
  const licences = asEntry('THIRD_PARTY_LICENSES.txt', options.thirdParty)
  return { manifest, entries: [program, licences, await fromRoot('LICENSE')] }
}

async function enginePackage(target: Target, engine: string, options: NpmOptions): Promise<Content> {
  const manifest = {
    name: engineName(target),
    description: `The native QUIC engine of lambda-nat-proxy for ${target.name}`,
    ...common(options),
    ...systemOf(target),
    main: 'engine.node',
    files: ['engine.node', 'THIRD_PARTY_LICENSES.txt'],
  }
  const library = { path: 'engine.node', content: await readFile(engine) }
  const licences = asEntry('THIRD_PARTY_LICENSES.txt', options.thirdParty)
  return { manifest, entries: [library, licences, await fromRoot('LICENSE')] }
}
