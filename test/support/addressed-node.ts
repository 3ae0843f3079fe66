import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A Node for the embedded cloud whose every process has a loopback address of its own, as exits have public ones. */
export async function addressedNode(): Promise<{ path: string; close(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'lambda-nat-proxy-test-'))
  const node = join(import.meta.dir, '../../node_modules/node/bin/node')
  const hook = join(import.meta.dir, 'loopback-address.cjs')
  const path = join(folder, 'node')
  await writeFile(path, `#!/bin/sh\nexec '${node}' --require '${hook}' "$@"\n`)
  await chmod(path, 0o755)
  return { path, close: () => rm(folder, { recursive: true, force: true }) }
}
