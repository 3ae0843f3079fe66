import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { nativeBinding } from '../../cli/build/binding.ts'
import { targets, thisPlatform } from '../../cli/build/targets.ts'

const root = join(import.meta.dir, '../..')
const foreign = targets.find(({ binding }) => binding && binding !== thisPlatform()?.binding)!.binding!

interface Context {
  /** A checkout that has nothing installed. */
  folder: string
  lock: string
}

const test = suite<Context>('native bindings for the build')

test.before.each(async context => {
  context.folder = await mkdtemp(join(tmpdir(), 'lambda-nat-proxy-test-'))
  context.lock = await readFile(join(root, 'bun.lock'), 'utf8')
  await mkdir(join(context.folder, 'node_modules'))
  // Nothing is taken from the user's cache, whose packages were checked when they came.
  process.env.BUN_INSTALL_CACHE_DIR = join(context.folder, 'cache')
})

test.after.each(async ({ folder }) => {
  delete process.env.BUN_INSTALL_CACHE_DIR
  await rm(folder, { recursive: true, force: true })
})

const rejection = async (promise: Promise<unknown>): Promise<string> => {
  const error = await promise.then(
    () => undefined,
    (error: unknown) => error,
  )
  assert.instance(error, Error)
  return (error as Error).message
}

test("another platform's binding comes in the locked version, once", async ({ folder, lock }) => {
  await writeFile(join(folder, 'bun.lock'), lock)
  const path = await nativeBinding(foreign, folder)
  assert.ok((await readFile(path)).length > 1_000_000)
  const { version } = JSON.parse(await readFile(join(path, '../package.json'), 'utf8'))
  assert.match(lock, `${foreign}@${version}"`)

  await writeFile(path, 'the same file')
  assert.is(await nativeBinding(foreign, folder), path)
  assert.is(await readFile(path, 'utf8'), 'the same file')
})

test('a binding that is not what bun.lock says is refused', async ({ folder, lock }) => {
  const line = lock.split('\n').find(line => line.includes(`"${foreign}": [`))!
  const digest = /sha512-([\w+/]{8})/.exec(line)![1]!
  await writeFile(join(folder, 'bun.lock'), lock.replace(digest, 'AAAAAAAA'))
  assert.match(await rejection(nativeBinding(foreign, folder)), `${foreign}@`)
})

test('a binding that bun.lock does not have is refused by name', async ({ folder }) => {
  await writeFile(join(folder, 'bun.lock'), '{ "packages": {} }')
  assert.match(await rejection(nativeBinding(foreign, folder)), `bun.lock has no ${foreign}`)
})

test.run()
