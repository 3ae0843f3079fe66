import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Home, makeHome } from '../support/command.ts'

// Files that the program is given, or keeps, and that are none, or cannot be written.

const test = suite<{ home: Home; fifo: string }>('special files')

test.before(async context => {
  context.home = await makeHome()
  context.fifo = join(context.home.folder, 'fifo')
  assert.is(spawnSync('mkfifo', [context.fifo]).status, 0)
})
test.after(({ home }) => home.remove())

/** By a shell that has the command as "$@", for what a shell makes. */
async function inShell(home: Home, script: string, ...args: string[]) {
  home.before = ['bash', '-c', script, 'bash']
  try {
    return await home.run(...args)
  } finally {
    home.before = []
  }
}

const local = ['run', '--local', '--port', '0']

test('a pipe that nobody is at, or a device, is refused at once, as wrong usage', async ({ home, fifo }) => {
  const notRead = 'it is a pipe that nobody writes to'
  for (const [args, what] of [
    [['config', 'show', '--config', fifo], notRead],
    [['config', 'show', '--config', '/dev/zero'], 'it is a device, not a regular file'],
    [[...local, '--auth-file', fifo], notRead],
    [[...local, '--dashboard-auth-file', fifo], notRead],
    [[...local, '--turn', 'turn:127.0.0.1', '--turn-auth-file', fifo], notRead],
    [['login', 'list', '--file', fifo], notRead],
    [[...local, '--audit', fifo], 'it is a pipe that nobody reads from'],
    [['doctor', '--local', '--report', fifo], 'it is a pipe that nobody reads from'],
  ] as const) {
    const { code, said } = await home.run(...args)
    assert.is(code, 2, said)
    assert.match(said, what)
  }
})

test('a command that only writes a file fails where it cannot', async ({ home, fifo }) => {
  const file = join(home.folder, 'in-between')
  await writeFile(file, '')
  for (const [path, added, written] of [
    [fifo, 'it is not a regular file', 'it is a pipe that nobody reads from'],
    [join(file, 'x'), 'a part of the path is not a folder', 'a part of the path is not a folder'],
  ] as const)
    for (const [args, what] of [
      [['login', 'add', 'bob', '--generate', '--file', path], added],
      [['config', 'init', '--force', '--config', path], written],
    ] as const) {
      const { code, said } = await home.run(...args)
      assert.is(code, 1, said)
      assert.match(said, what)
    }
})

test('what a shell pipes in is read as a file is', async ({ home }) => {
  const listed = await inShell(home, '"$@" --file <(echo alice:x)', 'login', 'list')
  assert.match(listed.stdout, /alice +plain/)
  const shown = await inShell(
    home,
    'echo "proxy: { port: 4711 }" | "$@"',
    'config',
    'show',
    '--config',
    '/dev/stdin',
  )
  assert.match(shown.stdout, /proxy.port +4711/)
  // The proxy ends for want of AWS, after it has read them.
  const run = await inShell(home, '"$@" --auth-file <(echo alice:x)', 'run', '--port', '0')
  assert.not.match(run.said, 'logins')
  assert.match(run.said, /region/i)
})

test('what a shell pipes in holds no logins to be changed', async ({ home }) => {
  for (const path of ['/dev/stdin', '/dev/fd/0']) {
    const { code, said } = await inShell(
      home,
      `cd ${home.folder} && echo password | "$@" --file ${path}`,
      'login',
      'add',
      'bob',
    )
    assert.is(code, 1, said)
    assert.match(said, `${path} cannot be changed: it is not a regular file`)
  }
  assert.not.ok((await readdir(home.folder)).some(name => name.startsWith('pipe:')))
})

test('a password is the first line of the standard input, of bounded length, in UTF-8', async ({ home }) => {
  const curlrc = (made: string) =>
    inShell(home, `${made} | "$@"`, 'env', '--user', 'alice', '--format', 'curlrc')
  assert.match((await curlrc("printf '\\xef\\xbb\\xbfpw\\r\\nmore\\n'")).stdout, 'alice:pw@')
  for (const [made, what] of [
    ["printf 'p\\xe9\\n'", 'it is not text in UTF-8'],
    ["yes | tr -d '\\n'", 'is too long'],
    ['true', 'there is no password'],
  ] as const) {
    const { code, said } = await curlrc(made)
    assert.is(code, 2, said)
    assert.match(said, what)
  }
})

test('output that cannot be written is a failure, and a reader who has enough is none', async ({ home }) => {
  for (const args of [['config', 'path'], ['env'], ['--help'], ['config', 'show', '--json']]) {
    const { code, said } = await inShell(home, '"$@" > /dev/full', ...args)
    assert.is(code, 1, said)
    assert.is(said.match(/the output cannot be written: the disk is full/g)?.length, 1, said)
    const read = await inShell(home, 'set -o pipefail; "$@" | true', ...args)
    assert.is(read.code, 0, read.said)
  }
})

test('what cannot be written by the settings is wrong usage, before anything begins', async ({ home }) => {
  const below = join(home.folder, 'file', 'x')
  await writeFile(join(home.folder, 'file'), '')
  for (const args of [
    [...local, '--audit', below],
    ['doctor', '--local', '--report', below],
  ]) {
    const { code, said } = await home.run(...args)
    assert.is(code, 2, said)
    assert.match(said, 'a part of the path is not a folder')
    assert.not.match(said, 'STUN')
  }
})

test('a ledger that is no file is refused where a quota needs it', async ({ home }) => {
  const state = join(home.folder, 'state', 'lambda-nat-proxy')
  await mkdir(state, { recursive: true })
  assert.is(spawnSync('mkfifo', [join(state, 'usage.db')]).status, 0)
  home.environment.XDG_STATE_HOME = join(home.folder, 'state')
  const logins = join(home.folder, 'logins.yaml')
  await writeFile(logins, 'alice:\n  password: x\n  quota: 1GB/day\n')
  const { code, said } = await home.run(...local, '--auth-file', logins)
  delete home.environment.XDG_STATE_HOME
  assert.is(code, 2, said)
  assert.match(said, /usage.db cannot be used: it is not a regular file/)
})

test('a report that was there stays until there is another, and none is made for a check', async ({
  home,
}) => {
  const old = join(home.folder, 'old.json')
  await writeFile(old, 'old')
  // Neither goes with the other: the doctor does not begin.
  const { code } = await home.run('doctor', '--local', '--bucket', 'x', '--report', old)
  assert.is(code, 2)
  assert.is(await readFile(old, 'utf8'), 'old')
  assert.not.ok(existsSync(join(home.folder, 'new.json')))
})

test.run()
