import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { LoginTable } from '../../cli/client/accounts/access.ts'
import { loginName, makeLogin } from '../../cli/client/accounts/login.ts'
import { mustAgree, readLogins } from '../../cli/client/accounts/read-logins.ts'
import { UsageError } from '../../cli/input/usage-error.ts'

const test = suite<{ folder: string }>('logins')

test.before(async context => {
  context.folder = await mkdtemp(join(tmpdir(), 'lambda-nat-proxy-test-'))
})
test.after(({ folder }) => rm(folder, { recursive: true }))

test('logins come from options, environment and file together', async ({ folder }) => {
  const file = join(folder, 'logins')
  await writeFile(file, '# people\r\n\r\ncarol:with, comma and # sign\n  dave:d:d  \n')
  const logins = await readLogins({
    auth: 'alice:a,bob:b:b, erin:e',
    file,
    environment: { LAMBDA_NAT_PROXY_AUTH: 'frank:f' },
  })
  assert.equal(
    logins.map(({ user, secret }) => [user, secret.kind === 'plain' ? secret.password : secret.kind]),
    [
      ['alice', 'a'],
      ['bob', 'b:b'],
      ['erin', 'e'],
      ['frank', 'f'],
      ['carol', 'with, comma and # sign'],
      ['dave', 'd:d'],
    ],
  )
  assert.equal(await readLogins({ environment: {} }), [])
})

test('what is wrong with a login is said, and never its password', async ({ folder }) => {
  const file = join(folder, 'bad')
  await writeFile(file, 'alice:fine\nsecret-without-colon\n')
  const empty = join(folder, 'empty')
  await writeFile(empty, '# nobody yet\n')
  const long = 'x'.repeat(256)
  for (const [sources, ...words] of [
    [{ auth: 'secret' }, '--auth', 'user:password'],
    [{ auth: ':secret' }, 'user name', '1 to 255'],
    [{ auth: 'alice:' }, 'password', '1 to 255'],
    [{ auth: `alice:secret${long}` }, 'password', '1 to 255'],
    [{ auth: 'alice:secret,alice:secret2' }, 'alice', 'twice'],
    [{ auth: 'alice-region-eu-west-1:secret' }, '-region-'],
    [{ environment: { LAMBDA_NAT_PROXY_AUTH: 'secret' } }, 'LAMBDA_NAT_PROXY_AUTH'],
    [{ file }, file, 'line 2'],
    [{ file: empty }, empty, 'no login'],
    // Several options name such files.
    [{ file: join(folder, 'none') }, `the file of logins ${join(folder, 'none')}`],
  ] as const)
    try {
      await readLogins({ environment: {}, ...sources })
      assert.unreachable(JSON.stringify(sources))
    } catch (error) {
      assert.instance(error, UsageError)
      for (const word of words) assert.match((error as Error).message, word)
      assert.not.match((error as Error).message, 'secret')
    }
})

test('a login that several listeners have is one account, with the same limits', () => {
  const quota = { bytes: 1_000, period: 'day' } as const
  mustAgree([
    makeLogin('test', 'alice', 'a', { quota, exits: ['eu-west-1'] }),
    makeLogin('test', 'alice', 'other', { quota }),
    makeLogin('test', 'bob', 'b'),
  ])
  assert.throws(
    () => mustAgree([makeLogin('test', 'alice', 'a', { quota }), makeLogin('test', 'alice', 'a')]),
    'the login alice has other limits',
  )
})

test('the login name is what stands before the first parameter', () => {
  for (const [user, name] of [
    ['alice', 'alice'],
    ['alice-smith', 'alice-smith'],
    ['alice-region-eu-west-1', 'alice'],
    ['alice-session-abc-region-eu-west-1', 'alice'],
    ['region-eu-west-1', ''],
    ['alice-regional', 'alice-regional'],
    ['preregion-x', 'preregion-x'],
  ] as const)
    assert.is(loginName(user), name)
})

test('each user gets in with their own password only, under whatever parameters', async () => {
  const access = new LoginTable([makeLogin('test', 'alice', 'a'), makeLogin('test', 'bob', 'b')])
  assert.ok(access.required)
  for (const [user, password, admitted] of [
    ['alice', 'a', true],
    ['bob', 'b', true],
    ['alice-region-eu-west-1-session-x', 'a', true],
    ['alice', 'b', false],
    ['alice', '', false],
    ['alice', 'aa', false],
    ['Alice', 'a', false],
    ['carol', 'a', false],
    ['', '', false],
    ['region-eu-west-1', 'a', false],
  ] as const)
    assert.is((await access.admit(user, password)) !== undefined, admitted, `${user}:${password}`)
})

test('without logins everybody gets in', async () => {
  const access = new LoginTable([])
  assert.not(access.required)
  assert.ok(await access.admit('region-eu-west-1', ''))
})

test.run()
