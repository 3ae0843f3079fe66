import { spawnSync } from 'node:child_process'
import { appendFileSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { engineFile } from '../../native/engine/file.ts'
import { needNativeEngine } from '../support/engines.ts'

const root = join(import.meta.dir, '../..')
const loader = 'tunnel/quic/engines/native/binding.ts'
const test = suite('an engine that was built before an update')

test('is not loaded once its interface is another', () => {
  const checkout = mkdtempSync(join(tmpdir(), 'engine-'))
  const built = engineFile(`${process.platform}-${process.arch}`)
  for (const path of [loader, 'native/engine/file.ts', 'native/engine/index.d.ts', built])
    cpSync(join(root, path), join(checkout, path))
  writeFileSync(join(checkout, 'package.json'), '{ "type": "module" }')
  const look = `console.log(typeof (await import('./${loader}')).loadBinding()?.Socket)`
  const load = () => spawnSync(process.execPath, ['-e', look], { cwd: checkout, encoding: 'utf8' })
  assert.is(load().stdout, 'function\n')
  appendFileSync(join(checkout, 'native/engine/index.d.ts'), 'export declare function more(): void\n')
  const { stdout, stderr } = load()
  assert.is(stdout, 'undefined\n', stderr)
  rmSync(checkout, { recursive: true })
})

if (await needNativeEngine()) test.run()
