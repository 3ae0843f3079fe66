import { spawnSync } from 'node:child_process'
import { chmod, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { LoginTable } from '../../cli/client/accounts/access.ts'
import { putLogin, removeLogin } from '../../cli/client/accounts/edit-login-file.ts'
import { makeLogin } from '../../cli/client/accounts/login.ts'
import { parseLoginFile } from '../../cli/client/accounts/login-file.ts'
import { decoyOf, hashPassword, isHashOf, parseHash } from '../../cli/client/accounts/password-hash.ts'
import { readLogins } from '../../cli/client/accounts/read-logins.ts'
import { Verifier } from '../../cli/client/accounts/verifier.ts'
import { UsageError } from '../../cli/input/usage-error.ts'
import { need } from '../support/need.ts'

const test = suite('passwords')

const rejection = (running: Promise<unknown>): Promise<string> =>
  running.then(
    () => assert.unreachable('it was to fail') as never,
    error => error.message,
  )

/** Each alias stands for ten times as much as the one before. */
const bomb = Array.from(
  { length: 10 },
  (_, i) => `  b${i}: &b${i} [${i === 0 ? 'x' : `*b${i - 1},`.repeat(10)}]\n`,
).join('')

/** Cheap ones of both kinds. */
const argon = await Bun.password.hash('secret', { algorithm: 'argon2id', memoryCost: 8, timeCost: 1 })
const bcrypt = await Bun.password.hash('secret', { algorithm: 'bcrypt', cost: 4 })

test('a new hash is argon2id, salted, and checked with the right password alone', async () => {
  const [a, b] = [await hashPassword('secret'), await hashPassword('secret')]
  assert.is.not(a.hash, b.hash)
  assert.equal(parseHash('test', a.hash), a)
  assert.ok(await isHashOf(a.hash, 'secret'))
  assert.not(await isHashOf(a.hash, 'Secret'))
  assert.not(await isHashOf(a.hash, ''))
})

test('hashes are told from passwords, and those that are not known or too dear are refused', () => {
  assert.is(parseHash('test', argon)?.kind, 'argon2id')
  assert.is(parseHash('test', bcrypt)?.kind, 'bcrypt')
  assert.is(parseHash('test', bcrypt.replace('$2b', '$2y'))?.kind, 'bcrypt')
  for (const password of ['secret', '$2y$', '$argon2id$', '$1$', '{SHA}', '$apr1$short'])
    assert.is(parseHash('test', password), undefined)
  for (const text of [
    argon.replace('m=8', 'm=9999999'),
    argon.replace('t=1', 't=99'),
    argon.replace('t=1', 't=0'),
    argon.replace('p=1', 'p=2'),
    bcrypt.replace('$04$', '$31$'),
    bcrypt.replace('$04$', '$00$'),
    '$apr1$HhYbQ4Sm$YvbkK2pBIMUYxZpnkYb3s/',
    '{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=',
  ])
    assert.throws(
      () => parseHash('here', text),
      (error: unknown) => error instanceof UsageError && error.message.startsWith('here: '),
    )
})

if (need(['apache2-utils'], ['htpasswd']))
  test('what htpasswd writes is taken', async () => {
    const { stdout } = spawnSync('htpasswd', ['-nbBC', '4', 'alice', 'secret'], { encoding: 'utf8' })
    const table = new LoginTable(parseLoginFile('logins', stdout))
    assert.ok(await table.admit('alice-session-x', 'secret'))
    assert.not(await table.admit('alice', 'wrong'))
  })

/** A verifier whose hashes are computed when the test says so. */
function slow(concurrency: number) {
  const running: { password: string; finish: (isRight: boolean) => void }[] = []
  let computed = 0
  const verifier = new Verifier({
    concurrency,
    isHashOf: (_hash, password) => {
      computed++
      return new Promise(finish => running.push({ password, finish }))
    },
  })
  return { verifier, running, computed: () => computed }
}

const secret = { kind: 'argon2id', hash: argon } as const
const turns = async () => {
  for (let i = 0; i < 20; i++) await Promise.resolve()
}

test('few hashes are computed at once, each once, and the answers are remembered', async () => {
  const { verifier, running, computed } = slow(2)
  const answers = Array.from({ length: 100 }, (_, i) => verifier.verify(secret, `guess ${i % 10}`))
  for (let done = 0; done < 10; ) {
    await turns()
    assert.ok(running.length <= 2, `${running.length} at once`)
    for (const { password, finish } of running.splice(0)) {
      finish(password === 'guess 3')
      done++
    }
  }
  const right = (await Promise.all(answers)).filter(Boolean).length
  assert.is(right, 10)
  assert.is(computed(), 10)
  assert.ok(await verifier.verify(secret, 'guess 3'))
  assert.not(await verifier.verify(secret, 'guess 4'))
  assert.is(computed(), 10)
})

test('another hash of the same user is another question: a changed password holds at once', async () => {
  const verifier = new Verifier()
  const table = new LoginTable([makeLogin('test', 'alice', argon)], verifier)
  assert.ok(await table.admit('alice', 'secret'))
  const other = await Bun.password.hash('other', { algorithm: 'bcrypt', cost: 4 })
  table.replace([makeLogin('test', 'alice', other)])
  assert.not(await table.admit('alice', 'secret'))
  assert.ok(await table.admit('alice', 'other'))
  table.replace([makeLogin('test', 'bob', 'plain')])
  assert.not(await table.admit('alice', 'other'))
  assert.equal((await table.admit('bob-region-eu-west-1', 'plain'))?.login?.user, 'bob')
})

test('a name that is not there costs what a wrong password does', async () => {
  for (const hash of [argon, bcrypt]) {
    const decoy = decoyOf(parseHash('test', hash)!)
    // It can be checked, as a hash of nothing that anybody knows.
    assert.equal(parseHash('test', decoy.hash)?.kind, decoy.kind)
    assert.not(await Bun.password.verify('secret', decoy.hash))
  }
  const { verifier, running, computed } = slow(1)
  const table = new LoginTable(
    [makeLogin('test', 'alice', argon), makeLogin('test', 'bob', 'plain')],
    verifier,
  )
  for (const user of ['alice', 'bob', 'nobody']) {
    const before = computed()
    const answer = table.admit(user, `wrong for ${user}`)
    await turns()
    running.pop()!.finish(false)
    assert.not(await answer)
    assert.is(computed() - before, 1, user)
  }
})

test('names and passwords of digits are what is written, and are found again', async () => {
  const of = (text: string) => parseLoginFile('logins.yaml', text)
  const secrets = of(
    '007:\n  password: 0123\nbob:\n  password: 12345678901234567890\n0x1f: {password: 1e5}\n',
  )
  assert.equal(
    secrets.map(({ user, secret }) => [user, secret.kind === 'plain' && secret.password]),
    [
      ['007', '0123'],
      ['bob', '12345678901234567890'],
      ['0x1f', '1e5'],
    ],
  )
  const folder = await mkdtemp(join(tmpdir(), 'lambda-nat-proxy-test-'))
  const path = join(folder, 'logins.yaml')
  await writeFile(path, '# mine\n007:\n  password: 0123\nbob:\n  password: 0123\n')
  const hash = parseHash('test', argon)!
  const bob = makeLogin('test', 'bob', '0123')
  assert.not(await putLogin(path, '007', hash))
  assert.equal(of(await readFile(path, 'utf8')), [makeLogin('test', '007', argon), bob])
  assert.equal(await removeLogin(path, '007'), ['007', 'bob'])
  assert.equal(of(await readFile(path, 'utf8')), [bob])
  await rm(folder, { recursive: true })
})

test('a login that a file of lines cannot hold is not put there', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lambda-nat-proxy-test-'))
  const [lines, yaml] = [join(folder, 'logins'), join(folder, 'logins.yaml')]
  await writeFile(lines, 'bob:pw\n')
  const hash = parseHash('test', argon)!
  for (const user of ['#alice', ' alice', '\ufeffalice']) {
    assert.match(await rejection(putLogin(lines, user, hash)), 'cannot hold')
    assert.ok(await putLogin(yaml, user, hash))
  }
  assert.is(await readFile(lines, 'utf8'), 'bob:pw\n')
  await rm(folder, { recursive: true })
})

test('an edit keeps who may read a file, whatever the umask', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lambda-nat-proxy-test-'))
  const path = join(folder, 'logins')
  await writeFile(path, 'bob:pw\n')
  await chmod(path, 0o660)
  const umask = process.umask(0o077)
  try {
    await putLogin(path, 'alice', parseHash('test', argon)!)
  } finally {
    process.umask(umask)
  }
  assert.is((await stat(path)).mode & 0o777, 0o660)
  assert.equal(await readdir(folder), ['logins'])
  await rm(folder, { recursive: true })
})

test('a file of thousands of logins takes no time, and what is no such file is not read', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lambda-nat-proxy-test-'))
  const path = join(folder, 'logins')
  await writeFile(path, Array.from({ length: 50_000 }, (_, i) => `user${i}:pw`).join('\n'))
  assert.is((await readLogins({ file: path, environment: {} })).length, 50_000)
  await truncate(path, 1e9)
  assert.match(await rejection(readLogins({ file: path, environment: {} })), '1000000000 bytes')
  await rm(folder, { recursive: true })
})

test('YAML says where it is wrong, and never a password', () => {
  const parse = (text: string) => parseLoginFile('logins.yaml', text)
  assert.equal(
    parse(`# people\nalice:\n  password: ${argon}\n"bob smith":\n  password: 1234\n`).map(
      ({ user, secret }) => [user, secret.kind],
    ),
    [
      ['alice', 'argon2id'],
      ['bob smith', 'plain'],
    ],
  )
  assert.equal(parse('# nobody\n'), [])
  for (const [text, ...words] of [
    ['alice: hunter2\n', 'line 1', 'below the user'],
    ['alice:\n  password: hunter2\n  qouta: 5GB\n', 'line 1', 'qouta'],
    ['- hunter2\n', 'user:'],
    ['alice:\n  note: hunter2\n', 'note'],
    ['alice: {}\n', 'line 1', 'no password'],
    ['alice:\n\tpassword: hunter2\n', 'line 2', 'YAML'],
    ['alice:\n  password: *hunter2\n', 'line 1', 'quotes'],
    [`alice:\n  password: hunter2\n${bomb}`, 'line 1', 'quotes'],
    ['bob:\n  password: ok\nalice-region-x:\n  password: hunter2\n', 'line 3', '-region-'],
  ] as const)
    try {
      parse(text)
      assert.unreachable(text)
    } catch (error) {
      assert.instance(error, UsageError)
      for (const word of words) assert.match((error as Error).message, word)
      assert.not.match((error as Error).message, 'hunter2')
    }
})

test.run()
