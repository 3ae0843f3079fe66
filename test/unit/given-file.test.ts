import { spawn, spawnSync } from 'node:child_process'
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { putLogin, removeLogin } from '../../cli/client/accounts/edit-login-file.ts'
import { readLoginFile } from '../../cli/client/accounts/login-file.ts'
import { parseHash } from '../../cli/client/accounts/password-hash.ts'
import { replaceAlone } from '../../cli/client/accounts/replace-alone.ts'
import { LogFile } from '../../cli/client/audit/log-file.ts'
import { type ReadOptions, readGivenFile, readGivenText } from '../../cli/input/read-file.ts'
import { UsageError } from '../../cli/input/usage-error.ts'
import { CodedError } from '../../tunnel/net/coded-error.ts'
import { patient } from '../support/patience.ts'
import { until } from '../support/until.ts'

// Paths that a person names, and what may be there in place of a regular file.

const test = suite<{ folder: string; fifo: string }>('files that are named')

test.before.each(async context => {
  context.folder = await mkdtemp(join(tmpdir(), 'lambda-nat-proxy-test-'))
  context.fifo = join(context.folder, 'fifo')
  assert.is(spawnSync('mkfifo', [context.fifo]).status, 0)
})
test.after.each(({ folder }) => rm(folder, { recursive: true }))

const limits = { subject: 'the file', maxBytes: 100_000, writerLimitMs: 50, limitMs: 200 }

const hash = parseHash(
  'test',
  await Bun.password.hash('secret', { algorithm: 'argon2id', memoryCost: 8, timeCost: 1 }),
)!

const rejection = (running: Promise<unknown>): Promise<CodedError> =>
  running.then(
    () => assert.unreachable('it was to fail') as never,
    error => {
      assert.instance(error, CodedError)
      return error
    },
  )
const refusal = async (path: string, options: Partial<ReadOptions> = {}) =>
  (await rejection(readGivenFile(path, { ...limits, ...options }))).message

test('a pipe is read to its end, in as many parts as it comes', async ({ fifo }) => {
  const text = 'x'.repeat(90_000)
  const writer = spawn('sh', ['-c', `printf abc; head -c 90000 /dev/zero | tr '\\0' x`])
  const anonymous = spawn('sh', ['-c', `exec cat > ${fifo}`], { stdio: ['pipe', 'inherit', 'inherit'] })
  writer.stdout.pipe(anonymous.stdin)
  const read = await readGivenFile(fifo, {
    ...limits,
    writerLimitMs: patient(20_000),
    limitMs: patient(20_000),
  })
  assert.is(read.toString(), `abc${text}`)
})

test('a pipe that nobody writes to, or that does not end, is waited for no longer than the limit', async ({
  fifo,
}) => {
  assert.is(await refusal(fifo), 'the file cannot be read: it is a pipe that nobody writes to')
  const writer = spawn('sh', ['-c', `exec sleep 30 > ${fifo}`])
  try {
    assert.match(
      await refusal(fifo, { writerLimitMs: patient(20_000) }),
      'it is a pipe that has not ended in 0.2 s',
    )
  } finally {
    writer.kill()
  }
})

test('a file of the system that never ends, as a regular one may be, has the same limit', async ({
  folder,
}) => {
  const path = join(folder, 'log')
  await writeFile(path, 'x')
  assert.match(await refusal(path, { limitMs: 0 }), 'cannot be read: it has not ended in 0 s')
})

const latin1 = Buffer.from('alice:caf\u00e9\n', 'latin1')
const utf16 = Buffer.from('\ufeffalice:x\n', 'utf16le')

test('text is UTF-8, with a byte order mark or without one', async ({ folder }) => {
  const path = join(folder, 'text')
  await writeFile(path, '\ufeffalice:caf\u00e9')
  assert.is(await readGivenText(path, limits), 'alice:caf\u00e9')
  for (const bytes of [latin1, utf16, 'a\0b']) {
    await writeFile(path, bytes)
    const { message } = await rejection(readGivenText(path, limits))
    assert.is(message, 'the file cannot be read: it is not text in UTF-8')
  }
})

test('a file of logins that would not be written back as it was is not changed', async ({ folder }) => {
  const path = join(folder, 'logins')
  for (const bytes of [latin1, utf16]) {
    await writeFile(path, bytes)
    assert.match((await rejection(readLoginFile(path))).message, 'it is not text in UTF-8')
    const { code, message } = await rejection(putLogin(path, 'bob', hash))
    assert.is(code, 'E_LOGINS_UNWRITABLE')
    assert.match(message, 'it is not text in UTF-8')
    assert.equal(await readFile(path), bytes)
  }
  await writeFile(path, '#'.repeat(8 * 1024 * 1024 + 1))
  assert.match((await rejection(putLogin(path, 'bob', hash))).message, 'it has 8388609 bytes')
})

test('a link to a file that is to be made stays, and so does its one lock', async ({ folder }) => {
  await mkdir(join(folder, 'links'))
  const [first, last] = [join(folder, 'links', 'first'), join(folder, 'links', 'last')]
  await symlink('last', first)
  await symlink('../real/logins', last)
  await Promise.all([first, last].map((path, i) => putLogin(path, `user${i}`, hash)))
  assert.ok((await lstat(first)).isSymbolicLink())
  assert.ok((await lstat(last)).isSymbolicLink())
  const text = await readFile(join(folder, 'real', 'logins'), 'utf8')
  for (const user of ['user0', 'user1']) assert.match(text, `${user}:`)
  assert.equal(await readdir(join(folder, 'real')), ['logins'])
})

test('what is no file, has too much in it, or is not there, is said', async ({ folder }) => {
  assert.is(await refusal('/dev/zero'), 'the file cannot be read: it is a device, not a regular file')
  assert.match(await refusal(folder), 'it is a folder')
  assert.match(await refusal(join(folder, 'none')), 'there is no such file')
  const large = join(folder, 'large')
  await writeFile(large, Buffer.alloc(100_001))
  assert.match(await refusal(large), 'it has 100001 bytes, and 100000 are the most')
  await writeFile(large, Buffer.alloc(100_000))
  assert.is((await readGivenFile(large, limits)).length, 100_000)
})

const users = Array.from({ length: 12 }, (_, i) => `user${i}`)

for (const name of ['logins', 'logins.yaml'])
  test(`of changes to ${name} at once none is lost`, async ({ folder }) => {
    const path = join(folder, name)
    const link = join(folder, `link-${name}`)
    assert.equal(
      await Promise.all(users.map(user => putLogin(path, user, hash))),
      users.map(() => true),
    )
    await symlink(path, link)
    const [leaving, staying] = [users.slice(0, 6), users.slice(6)]
    await Promise.all([
      ...leaving.map((user, i) => removeLogin(i % 2 ? path : link, user)),
      ...staying.map(user => putLogin(path, user, hash)),
    ])
    const text = await readFile(path, 'utf8')
    for (const user of staying) assert.match(text, `${user}:`)
    for (const user of leaving) assert.not.match(text, `${user}:`)
    assert.not.ok((await readdir(folder)).some(each => each.endsWith('.lock')))
  })

test('a lock that stays is waited for up to the limit, and named', async ({ folder }) => {
  const path = join(folder, 'logins')
  await writeFile(`${path}.lock`, '')
  const { code, message, hint } = await rejection(replaceAlone(path, () => 'x', 60))
  assert.is(code, 'E_LOGINS_LOCKED')
  assert.match(message, `${path}.lock`)
  assert.match(hint!, 'remove the lock')
  assert.not.ok((await readdir(folder)).includes('logins'))

  const waits = replaceAlone(path, text => `${text}x`, patient(20_000))
  await rm(`${path}.lock`)
  await waits
  assert.is(await readFile(path, 'utf8'), 'x')
})

test('a change that fails leaves the file and no lock; what is no file stays what it is', async ({
  folder,
  fifo,
}) => {
  const path = join(folder, 'logins')
  await writeFile(path, 'as it was')
  await chmod(path, 0o640)
  const fails = () => {
    throw new UsageError('no')
  }
  assert.is((await rejection(replaceAlone(path, fails))).message, 'no')
  await replaceAlone(path, () => undefined)
  assert.is(await readFile(path, 'utf8'), 'as it was')
  for (const other of [fifo, folder])
    assert.match((await rejection(replaceAlone(other, () => 'x'))).message, 'it is not a regular file')
  assert.ok((await stat(fifo)).isFIFO())
  assert.equal((await readdir(folder)).sort(), ['fifo', 'logins'])
})

test('a log goes into a pipe that is read, slowly too, and into none that is not', async ({ fifo }) => {
  const open = () => LogFile.open({ path: fifo, maxBytes: 1_000_000, keep: 1 })
  assert.is(await open().catch(error => error.code), 'ENXIO')
  const reader = spawn('sh', ['-c', `exec < ${fifo}; read line; echo "$line"; exec wc -l`])
  let said = ''
  reader.stdout.on('data', chunk => {
    said += chunk
  })
  let log: LogFile | undefined
  await until(async () => {
    log = await open().catch(() => undefined)
    return log !== undefined
  }, 'the reader')
  // More than a pipe holds.
  for (let i = 0; i < 3_000; i++) log!.append(`${i} ${'x'.repeat(100)}`)
  await log!.close()
  await until(() => reader.exitCode !== null, 'the reader to end')
  assert.is(said.replace(/x+/, 'x'), '0 x\n2999\n')
})

test.run()
