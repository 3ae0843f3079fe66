import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { scripts } from '../../package.json'
import { patient } from '../support/patience.ts'

const test = suite('Scripts of the repository')
const root = join(import.meta.dir, '../..')

/** Those that run a file of ours, and that file; `local` runs the program itself, and the others programs of others. */
const files = Object.entries(scripts).flatMap(([name, line]) => {
  const file = /(?:^| )bun (\S+\.ts)$/.exec(line)?.[1]
  return file === undefined ? [] : [{ name, file }]
})

function run(file: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, file), ...args], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined, DEBUG: undefined },
    // One that does not read its command line begins its work.
    timeout: patient(10_000),
  })
  return { status, stdout, stderr: stderr.replace(/\s+/g, ' ') }
}

test('are as many as package.json has', () => {
  assert.equal(files.map(({ name }) => name).sort(), [
    'bench',
    'build',
    'native',
    'release',
    'soak',
    'synth',
    'test',
  ])
})

for (const { name, file } of files)
  test(`${name} shows how it is used, and refuses what it does not have`, () => {
    for (const option of ['--help', '-h']) {
      const { status, stdout, stderr } = run(file, option)
      assert.is(status, 0, stderr)
      assert.match(stdout, `USAGE\n  bun run ${name} [`)
      assert.match(stdout, /\n {2}-h, --help +Show this help\n/)
      assert.match(stdout, /EXIT CODES\n {2}0 +done\n {2}1 +\S.*\n {2}2 +wrong usage/)
    }
    const option = run(file, '--nope')
    assert.is(option.status, 2, option.stderr)
    assert.match(option.stderr, "there is no option '--nope': see --help")
    const word = run(file, 'nothing-of-that-name')
    assert.is(word.status, 2, word.stderr)
    assert.match(word.stderr, /'nothing-of-that-name'.*(--help|name a part)/i)
  })

test('name the value that is none, and what would be', () => {
  for (const [file, args, said] of [
    ['test/bench/main.ts', ['goals', 'fra'], "there is no row of goals 'fra'; did you mean far?"],
    ['test/bench/main.ts', ['nera'], "'nera'; did you mean near?"],
    ['test/bench/main.ts', ['--runs', '0'], '--runs 0 is not a number of runs: give 1 or more'],
    ['test/bench/main.ts', ['--quick', '--full'], 'leave out one'],
    ['test/soak/main.ts', ['--minutes', '1.5'], '--minutes 1.5 is not a number of minutes: give 1 or more'],
    [
      'cli/build/native.ts',
      ['--only', 'linux'],
      "there is no platform 'linux': --only takes those of linux-x64",
    ],
    ['cli/build/native.ts', ['--only', 'linux-x64', '--all'], 'leave out one'],
    ['cli/build/release/main.ts', ['--only', 'linux'], "there is no platform 'linux'"],
    ['cli/build/release/main.ts', ['--repository', 'x'], "'x' is not an https URL such as"],
    ['cdktf/main.ts', ['--out'], '--out needs a value'],
  ] as const) {
    const { status, stderr } = run(file, ...args)
    assert.is(status, 2, stderr)
    assert.match(stderr, said)
  }
})

test.run()
