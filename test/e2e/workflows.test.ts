import { spawnSync } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parse } from 'yaml'
import { scripts } from '../../package.json'
import { need, needGo } from '../support/need.ts'

// What GitHub runs for us: files that nothing else here reads.

interface Workflow {
  jobs: Record<string, { steps: { uses?: string; run?: string }[] }>
}

const folder = join(import.meta.dir, '../../.github/workflows')
const names = await readdir(folder)
const steps = (
  await Promise.all(
    names.map(async name => (parse(await readFile(join(folder, name), 'utf8')) as Workflow).jobs),
  )
).flatMap(jobs => Object.values(jobs).flatMap(job => job.steps))

const test = suite('workflows')

const actionlint = needGo('github.com/rhysd/actionlint/cmd/actionlint', 'v1.7.12')
// It hands scripts on to ShellCheck.
if (actionlint && need(['shellcheck'], ['shellcheck']))
  test('actionlint finds nothing', () => {
    const files = names.map(name => join(folder, name))
    const { status, stdout, stderr } = spawnSync(actionlint, ['-no-color', ...files], { encoding: 'utf8' })
    assert.is(stdout + stderr, '')
    assert.is(status, 0)
  })

test('an action is named by its commit, which nobody can move', () => {
  const used = steps.flatMap(({ uses }) => uses ?? [])
  assert.ok(used.length > 0)
  for (const action of used) assert.match(action, /^[\w-]+\/[\w-]+@[0-9a-f]{40}$/)
})

test('what is run is what a person runs: the scripts of package.json', () => {
  const called = steps.flatMap(({ run = '' }) =>
    [...run.matchAll(/npx bun run (\w+)/g)].map(([, name]) => name!),
  )
  assert.ok(called.includes('test') && called.includes('release'))
  for (const name of called) assert.ok(name in scripts, `there is no script ${name}`)
})

test.run()
