import { readFileSync } from 'node:fs'
import { chmod, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { LoginTable } from '../../cli/client/accounts/access.ts'
import { readLogins } from '../../cli/client/accounts/read-logins.ts'
import { type Home, makeHome } from '../support/command.ts'
import { until } from '../support/until.ts'

const test = suite<{ home: Home }>('the login command')

test.before(async context => {
  context.home = await makeHome()
})
test.after(({ home }) => home.remove())

const admits = async (file: string, user: string, password: string) =>
  (await new LoginTable(await readLogins({ file, environment: {} })).admit(user, password)) !== undefined

for (const name of ['team.yaml', 'team.txt'])
  test(`logins come into ${name}, are changed and removed, and the rest of the file stays`, async ({
    home,
  }) => {
    const file = join(home.folder, name)
    const made = await home.run('login', 'add', 'alice', '--generate', '--file', file)
    assert.is(made.code, 0, made.said)
    assert.is((await stat(file)).mode & 0o777, 0o600)
    assert.match(made.stdout, /^[\w-]{24}\n$/, 'the password stands alone')
    const password = made.stdout.trim()
    assert.ok(await admits(file, 'alice', password))
    await writeFile(file, `# of the office\n${await readFile(file, 'utf8')}`)
    await chmod(file, 0o640)

    assert.is((await home.run('login', 'add', 'bob', '--generate', '--file', file)).code, 0)
    const again = await home.run('login', 'add', 'alice', '--generate', '--file', file)
    assert.match(again.said, 'Changed the password of alice')
    assert.not(await admits(file, 'alice', password))
    assert.is((await stat(file)).mode & 0o777, 0o640)

    const listed = await home.run('login', 'list', '--file', file, '--json')
    assert.equal(
      JSON.parse(listed.stdout).logins.map(({ user, password }: Record<string, string>) => [user, password]),
      [
        ['alice', 'argon2id'],
        ['bob', 'argon2id'],
      ],
    )
    assert.is((await home.run('login', 'remove', 'alice', '--file', file)).code, 0)
    const gone = await home.run('login', 'remove', 'bobb', '--file', file)
    assert.is(gone.code, 2)
    assert.match(gone.said, 'did you mean bob')
    const text = await readFile(file, 'utf8')
    assert.match(text, '# of the office')
    assert.match(text, 'bob')
    assert.not.match(text, 'alice')
  })

test('a password is asked for twice at a terminal, and not shown', async ({ home }) => {
  const file = join(home.folder, 'asked.yaml')
  const add = async (...passwords: string[]) => {
    const terminal = home.atTerminal('login', 'add', 'carol', '--file', file)
    await until(() => terminal.said().includes('Password for carol:'), 'the question')
    terminal.type(`${passwords[0]}\r`)
    await until(() => terminal.said().includes('The same again:'), 'the second question')
    terminal.type(`${passwords[1]}\r`)
    return { code: await terminal.exited, said: terminal.said() }
  }
  const differ = await add('hidden-one', 'hidden-two')
  assert.is(differ.code, 2)
  assert.match(differ.said, 'differ')
  const same = await add('hidden-one', 'hidden-one')
  assert.is(same.code, 0, same.said)
  assert.not.match(same.said, 'hidden-one')
  assert.ok(await admits(file, 'carol', 'hidden-one'))
})

test('without --file it is the file of the configuration, or logins.yaml beside it', async ({ home }) => {
  const { stdout } = await home.run('config', 'path')
  const made = await home.run('login', 'add', 'dave', '--generate')
  assert.match(made.said, stdout.trim().replace('lambda-nat-proxy.yaml', 'logins.yaml'))
  const listed = await home.run('login', 'list')
  assert.match(listed.stdout, 'dave')
})

test('a login may have a name that a deployment may not have', async ({ home }) => {
  for (const name of ['Jo', 'eve@example.com']) {
    const { code, said } = await home.run('login', 'add', name, '--generate')
    assert.is(code, 0, said)
    assert.is((await home.run('login', 'remove', name)).code, 0)
  }
})

test('names that cannot be a login are refused', async ({ home }) => {
  for (const name of ['a:b', 'alice-session-x', 'x'.repeat(256)]) {
    const { code, said } = await home.run(
      'login',
      'add',
      name,
      '--generate',
      '--file',
      join(home.folder, 'no.yaml'),
    )
    assert.is(code, 2, said)
  }
  const { code, said } = await home.run('login', 'add', '--generate')
  assert.is(code, 2, said)
  assert.match(said, '<name> is missing')
})

test('of logins that are added at once none is lost', async ({ home }) => {
  const file = join(home.folder, 'at-once.yaml')
  const users = ['ada', 'ben', 'cleo']
  const ended = await Promise.all(
    users.map(user => home.run('login', 'add', user, '--generate', '--file', file)),
  )
  for (const { code, said } of ended) assert.is(code, 0, said)
  assert.equal(
    readFileSync(file, 'utf8')
      .match(/^[a-z]+(?=:)/gm)
      ?.sort(),
    users,
  )
})

test.run()
