import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { cacheFolder, defaultConfigPath, type Machine, stateFolder } from '../../cli/places/folders.ts'
import { makeRunFolder } from '../../cli/places/run-folder.ts'

const folders = suite("places: the system's own custom")

const placesOf = (platform: NodeJS.Platform, home: string, env: Machine['env'] = {}) => {
  const machine = { platform, home, env }
  return [defaultConfigPath(machine), stateFolder('a', machine), cacheFolder(machine)]
}

folders('Linux has the XDG Base Directory Specification', () => {
  assert.equal(placesOf('linux', '/home/a'), [
    '/home/a/.config/lambda-nat-proxy/lambda-nat-proxy.yaml',
    '/home/a/.local/state/lambda-nat-proxy/a',
    '/home/a/.cache/lambda-nat-proxy',
  ])
})

folders('macOS has its own folder for caches', () => {
  assert.equal(placesOf('darwin', '/Users/a'), [
    '/Users/a/.config/lambda-nat-proxy/lambda-nat-proxy.yaml',
    '/Users/a/.local/state/lambda-nat-proxy/a',
    '/Users/a/Library/Caches/lambda-nat-proxy',
  ])
})

folders('Windows has one that roams, and one that stays', () => {
  assert.equal(placesOf('win32', '/u', { APPDATA: '/u/roaming', LOCALAPPDATA: '/u/local' }), [
    '/u/roaming/lambda-nat-proxy/lambda-nat-proxy.yaml',
    '/u/local/lambda-nat-proxy/a',
    '/u/local/lambda-nat-proxy/cache',
  ])
  assert.equal(placesOf('win32', '/u'), [
    '/u/AppData/Roaming/lambda-nat-proxy/lambda-nat-proxy.yaml',
    '/u/AppData/Local/lambda-nat-proxy/a',
    '/u/AppData/Local/lambda-nat-proxy/cache',
  ])
})

folders('a variable of XDG counts everywhere, unless its path is relative', () => {
  for (const platform of ['linux', 'darwin'] as const) {
    assert.is(placesOf(platform, '/h', { XDG_CACHE_HOME: '/x' })[2], '/x/lambda-nat-proxy')
    assert.is(placesOf(platform, '/h', { XDG_CONFIG_HOME: 'x' })[0], placesOf(platform, '/h')[0])
  }
  assert.is(placesOf('win32', '/h', { XDG_STATE_HOME: '/x', LOCALAPPDATA: '/l' })[1], '/x/lambda-nat-proxy/a')
})

folders.run()

const runFolders = suite<{ folder: string; runs: string }>('places: the folder of a run')

runFolders.before.each(context => {
  context.folder = mkdtempSync(join(tmpdir(), 'lambda-nat-proxy-test-'))
  context.runs = join(context.folder, 'lambda-nat-proxy/runs')
  process.env.XDG_CACHE_HOME = context.folder
})
runFolders.after.each(({ folder }) => {
  delete process.env.XDG_CACHE_HOME
  rmSync(folder, { recursive: true, force: true })
})

runFolders("it is in the cache, nobody else's, and goes", async ({ runs }) => {
  const { path, remove } = await makeRunFolder(async () => {})
  assert.equal(readdirSync(runs), [basename(path)])
  assert.equal(readdirSync(path), [])
  for (const folder of [runs, path]) assert.is(statSync(folder).mode & 0o777, 0o700)
  await remove()
  assert.equal(readdirSync(runs), [])
})

runFolders('that of a process that is gone is removed, and no other', async ({ runs }) => {
  const first = await makeRunFolder(async () => {})
  const { pid } = spawnSync('true')
  const abandoned = first.path.replace(`-${process.pid}-`, `-${pid}-`)
  const elsewhere = join(runs, `00000000-${pid}-abcdef`)
  for (const folder of [abandoned, elsewhere]) mkdirSync(folder)
  const second = await makeRunFolder(async () => {})
  assert.not(existsSync(abandoned))
  for (const folder of [first.path, second.path, elsewhere]) assert.ok(existsSync(folder))
})

runFolders(
  'a cache that has no room for what it is filled with is left for the temporary files',
  async ({ runs }) => {
    const { path, remove } = await makeRunFolder(async path => {
      if (path.startsWith(runs)) throw new Error('no room')
    })
    assert.ok(path.startsWith(tmpdir()))
    assert.equal(readdirSync(runs), [])
    await remove()
  },
)

runFolders('a cache that others could write is closed to them', async ({ runs }) => {
  mkdirSync(runs, { recursive: true })
  spawnSync('chmod', ['777', runs])
  await makeRunFolder(async () => {})
  assert.is(statSync(runs).mode & 0o777, 0o700)
})

runFolders.run()
